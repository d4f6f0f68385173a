"""The row of steps at the head of a page: where a project stands and what comes next.

A component of our own (inline, no iframe): Streamlit has none, and those of PyPI are iframes with colours of their own. It is a
toolbar: one stop of the Tab key, with arrow keys between the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from studio.ui.shared.i18n import _

StepStatus = Literal["todo", "now", "done", "run", "err"]

_CSS = """
:host { display:block; container-type:inline-size }
.paths { display:flex; flex-wrap:wrap; gap:4px 6px; align-items:center; font-family:var(--st-font); margin:0 0 2px }
.paths:empty { display:none }
.paths button { display:inline-block; width:auto; padding:3px 10px; font-size:.82rem; border-radius:999px;
  border:1px solid transparent; color:var(--st-text-color) }
.paths button[aria-pressed=true] { border-color:var(--st-primary-color); color:var(--st-link-color); font-weight:600 }
.paths button:hover { color:var(--st-link-color) }
ol { list-style:none; display:flex; margin:0; padding:3px 4px; font-family:var(--st-font) }
li { flex:1 1 auto; position:relative; min-width:0; display:flex; align-items:center }
li:last-child { flex:0 0 auto }
li:not(:last-child)::after { content:""; flex:1 1 0; min-width:8px; height:2px; margin:0 8px 0 2px; border-radius:2px;
  background:var(--st-border-color) }
li.done:not(:last-child)::after { background:var(--st-primary-color) }
button { all:unset; box-sizing:border-box; min-width:0; display:grid; grid-template-columns:auto 1fr; column-gap:8px;
  align-items:center; cursor:pointer; padding:3px 6px 3px 3px; border-radius:var(--st-base-radius) }
button:focus-visible { outline:2px solid var(--st-link-color); outline-offset:1px }
.dot { grid-row:1 / span 2; width:28px; height:28px; border-radius:50%; display:grid; place-items:center; font-weight:600;
  font-size:.82rem; box-sizing:border-box; border:2px solid var(--st-border-color); color:var(--st-text-color);
  background:var(--st-background-color) }
.done .dot { background:var(--st-primary-color); border-color:var(--st-primary-color); color:#fff }
.run .dot { position:relative }
.run .dot::before { content:""; position:absolute; inset:-2px; border-radius:50%; border:2px solid var(--st-primary-color);
  border-right-color:transparent; animation:turn 1.4s linear infinite }
.err .dot { border-color:var(--st-red-color); color:var(--st-red-color) }
.here .dot { box-shadow:0 0 0 3px color-mix(in srgb, var(--st-primary-color) 22%, transparent) }
.now .dot { border-color:var(--st-primary-color); color:var(--st-link-color) }
.t, .s { white-space:nowrap; overflow:hidden; text-overflow:ellipsis; max-width:100%; color:var(--st-text-color) }
.t { font-size:.88rem; font-weight:500; line-height:1.25 } .here .t { font-weight:700 }
.t:last-child, .t:has(+ .s:empty) { grid-row:1 / span 2 }
.s { font-size:.76rem; line-height:1.2; opacity:.75 }
.s:empty { display:none }
button:hover .t { color:var(--st-link-color) }
@keyframes turn { to { transform:rotate(360deg) } }
@media (prefers-reduced-motion: reduce) { .run .dot::before { animation:none } }
@container (max-width:760px) { ol { padding:2px 0 }
  li, li:last-child { flex:1 1 0 }
  li:not(:last-child)::after { position:absolute; top:16px; left:calc(50% + 18px); right:calc(-50% + 18px); margin:0;
    min-width:0 }
  button { width:100%; display:flex; flex-direction:column; gap:3px; padding:3px 2px; text-align:center }
  .t { font-size:.72rem } .s { display:none } }
@container (max-width:400px) { .t { font-size:.64rem; letter-spacing:-.01em; overflow:visible } button { padding-inline:0 } }
"""
_JS = """
const SIGN = { done: "\\u2713", err: "!" };
const MOVES = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("ol");
  const paths = parentElement.querySelector(".paths");
  paths.setAttribute("aria-label", data.paths_label);
  paths.replaceChildren(...data.paths.map(({ name, title }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = title;
    button.setAttribute("aria-pressed", String(name === data.path));
    button.onclick = () => setTriggerValue("path", name);
    return button;
  }));
  const held = [...root.querySelectorAll("button")].indexOf(parentElement.activeElement);
  const stop = held >= 0 ? held : Math.max(0, data.steps.findIndex((step) => step.here));
  root.parentElement.setAttribute("aria-label", data.label);
  root.replaceChildren(...data.steps.map((step, at) => {
    const item = document.createElement("li");
    item.role = "presentation";
    item.className = step.mark + (step.here ? " here" : "");
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = at === stop ? 0 : -1;
    if (step.here) button.setAttribute("aria-current", "step");
    button.setAttribute("aria-label", `${at + 1}. ${step.title}: ${step.said}`);
    button.title = step.said;
    for (const [name, text] of [["dot", SIGN[step.mark] || String(at + 1)], ["t", step.title], ["s", step.sub]]) {
      const part = document.createElement("span");
      part.className = name;
      part.textContent = text;
      button.append(part);
    }
    button.onclick = () => setTriggerValue("go", at);
    item.append(button);
    return item;
  }));
  const buttons = [...root.querySelectorAll("button")];
  if (held >= 0) buttons[held].focus();
  root.onkeydown = (event) => {
    const move = MOVES[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const from = buttons.findIndex((button) => button.tabIndex === 0);
    const to = Math.min(buttons.length - 1, Math.max(0, from + move));
    buttons[from].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  };
}
"""
_HTML = '<div class="paths" role="group"></div><div role="toolbar"><ol role="presentation"></ol></div>'
_STEPPER = st.components.v2.component("studio_stepper", html=_HTML, css=_CSS, js=_JS)


@dataclass(frozen=True)
class Step:
    """`sub` is one short line below the title; `mark` says where the step stands."""

    title: str
    sub: str
    mark: StepStatus


def stepper(
    steps: Sequence[Step],
    here: int | None,
    key: str = "stepper",
    paths: Mapping[str, str] | None = None,
    path: str = "",
    on_path: Callable[[str], None] | None = None,
) -> int | None:
    """Draws the steps, `here` being the page's own; returns the index of the one that was clicked in this run. `paths`: name ->
    title of the ways to choose from, of which `path` is taken; `on_path` hears of another one."""
    said = {
        "todo": _("not started"),
        "now": _("next"),
        "done": _("done"),
        "run": _("running"),
        "err": _("failed"),
    }
    data = {
        "label": _("Project steps"),
        "paths": [{"name": name, "title": title} for name, title in (paths or {}).items()],
        "paths_label": _("Path to the model"),
        "path": path,
        "steps": [
            {
                "title": step.title,
                "sub": step.sub,
                "mark": step.mark,
                "here": at == here,
                "said": " · ".join(filter(None, [said[step.mark], step.sub])),
            }
            for at, step in enumerate(steps)
        ],
    }

    def choose() -> None:
        taken = st.session_state[key].get("path")
        if on_path and taken in (paths or {}):
            on_path(taken)

    clicked = _STEPPER(key=key, data=data, on_go_change=lambda: None, on_path_change=choose).go
    return clicked if isinstance(clicked, int) and clicked != here else None
