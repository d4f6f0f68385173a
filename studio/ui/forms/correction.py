"""The form of a job that failed: the field to correct is marked, unfolded, scrolled to and focused."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from backend.core.errors import Problem
from backend.core.messages import MESSAGES
from backend.core.schemas import JobView
from studio.ui.forms.form import Form

_QUOTED = re.compile("“([^”{}]+)”")
_MEMORY = ("batch_size", "max_length", "model")
"""What makes a job take less, in the order in which it is worth trying."""
_FOCUS = st.components.v2.component(
    "studio_focus",
    html="<i hidden></i>",
    js="""
let done = "";
export default function ({ data }) {
  if (done === data.mark) return;
  let tries = 0;
  const look = () => {
    const box = document.querySelector(".st-key-" + CSS.escape(data.key));
    if (!box) return ++tries < 40 && setTimeout(look, 100);
    done = data.mark;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    box.scrollIntoView({ block: "center", behavior: calm ? "auto" : "smooth" });
    box.querySelector("input, textarea, button, [role=combobox]")?.focus({ preventScroll: true });
  };
  look();
}
""",
)


def field_to_correct(job: JobView, fields: list[str], titles: dict[str, str]) -> str | None:
    """The field that the error of a job is about: its own, else the one whose title its remedy names. None: no field."""
    if job.error is None:
        return None
    if job.error.field and job.error.field.partition(".")[0] in fields:
        return job.error.field.partition(".")[0]
    if job.error.code == "core.memory_out":
        return next((name for name in _MEMORY if name in fields), None)
    remedy = MESSAGES.get(job.error.code, ("", ""))[1]
    named = _QUOTED.findall(remedy)
    return next((name for name in fields if titles[name] in named), None)


def begin(form: Form, job: JobView) -> None:
    """Mark the field, for as long as it has the value with which the job failed."""
    titles = {name: info.title or "" for name, info in form.fields.items()}
    name = field_to_correct(job, form.shown(), titles)
    if name and job.error:
        value = st.session_state[form.key(name)]
        st.session_state[_key(form)] = {"field": name, "value": value, "error": job.error, "mark": job.id}


def marked(form: Form) -> list[Problem]:
    """What stands at the marked field; it does not keep anybody from starting."""
    held = _held(form)
    if held is None:
        return []
    error = held["error"]
    return [Problem(code=error.code, args=error.args, field=held["field"], blocking=False)]


def focus(form: Form) -> None:
    """Show the marked field, once; call it after the fields are drawn."""
    held = _held(form)
    if held:
        name = re.sub(r"[^\w-]", "-", form.key(held["field"]))  # as Streamlit makes a class of a key
        _FOCUS(key=f"focus_{form.stage}", data={"key": name, "mark": held["mark"]}, height=0)


def _held(form: Form) -> dict[str, Any] | None:
    held: dict[str, Any] | None = st.session_state.get(_key(form))
    if held and st.session_state.get(form.key(held["field"])) != held["value"]:
        del st.session_state[_key(form)]
        return None
    return held


def _key(form: Form) -> str:
    return form.key("correction")
