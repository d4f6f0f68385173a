"""The row of steps at the head of a page: where a project stands and what comes next.

A component of our own (inline, no iframe): Streamlit has none, and those of PyPI are iframes with colours of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from studio.ui.shared.i18n import _

StepStatus = Literal["todo", "now", "done", "run", "err"]

_CSS = """
:host { display:block }
ol { list-style:none; display:flex; margin:0; padding:2px 0 4px; font-family:var(--st-font) }
li { flex:1 1 0; position:relative; min-width:0 }
li:not(:last-child)::after { content:""; position:absolute; top:17px; left:calc(50% + 22px); right:calc(-50% + 22px);
  height:2px; border-radius:2px; background:var(--st-border-color) }
li.done:not(:last-child)::after { background:var(--st-primary-color) }
button { all:unset; box-sizing:border-box; width:100%; display:flex; flex-direction:column; align-items:center; gap:4px;
  cursor:pointer; padding:2px 4px 4px; border-radius:var(--st-base-radius); text-align:center }
button:focus-visible { outline:2px solid var(--st-primary-color); outline-offset:1px }
.dot { width:32px; height:32px; border-radius:50%; display:grid; place-items:center; font-weight:600; font-size:.86rem;
  box-sizing:border-box; border:2px solid var(--st-border-color); color:var(--st-text-color);
  background:var(--st-background-color) }
.done .dot { background:var(--st-primary-color); border-color:var(--st-primary-color); color:#fff }
.run .dot { position:relative }
.run .dot::before { content:""; position:absolute; inset:-2px; border-radius:50%; border:2px solid var(--st-primary-color);
  border-right-color:transparent; animation:turn 1.4s linear infinite }
.err .dot { border-color:var(--st-red-color); color:var(--st-red-color) }
.here .dot { box-shadow:0 0 0 4px color-mix(in srgb, var(--st-primary-color) 18%, transparent) }
.now .dot { border-color:var(--st-primary-color); color:var(--st-link-color) }
.t, .s { white-space:nowrap; overflow:hidden; text-overflow:ellipsis; max-width:100%; color:var(--st-text-color) }
.t { font-size:.9rem; font-weight:500 } .here .t { font-weight:700 }
.s { font-size:.78rem; opacity:.75; min-height:1.2em }
button:hover .t { color:var(--st-link-color) }
@keyframes turn { to { transform:rotate(360deg) } }
@media (prefers-reduced-motion: reduce) { .run .dot::before { animation:none } }
@media (max-width:700px) { .s { display:none } .t { font-size:.68rem } .dot { width:28px; height:28px }
  li:not(:last-child)::after { top:15px; left:calc(50% + 17px); right:calc(-50% + 17px) } }
"""
_JS = """
const SIGN = { done: "\\u2713", err: "!" };
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector("ol");
  root.setAttribute("aria-label", data.label);
  root.replaceChildren(...data.steps.map((step, at) => {
    const item = document.createElement("li");
    item.className = step.mark + (step.here ? " here" : "");
    const button = document.createElement("button");
    button.type = "button";
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
}
"""
_STEPPER = st.components.v2.component("studio_stepper", html="<ol></ol>", css=_CSS, js=_JS)


@dataclass(frozen=True)
class Step:
    """`sub` is one short line below the title; `mark` says where the step stands."""

    title: str
    sub: str
    mark: StepStatus


def stepper(steps: Sequence[Step], here: int | None, key: str = "stepper") -> int | None:
    """Draws the steps, `here` being the page's own; returns the index of the one that was clicked in this run."""
    said = {
        "todo": _("not started"),
        "now": _("next"),
        "done": _("done"),
        "run": _("running"),
        "err": _("failed"),
    }
    data = {
        "label": _("Project steps"),
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
    clicked = _STEPPER(key=key, data=data, on_go_change=lambda: None).go
    return clicked if isinstance(clicked, int) and clicked != here else None
