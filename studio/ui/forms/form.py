"""A form from a stage's Params: each field becomes the widget that fits its type, with its problem right below it.

Values live in the session under keys of project and stage, before any widget is drawn; so the whole form can be checked
first and drawn with its problems. What the user chose is also kept as a draft in the store: a reload finds it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, get_args

import streamlit as st
from pydantic.fields import FieldInfo

from backend.api.forms import form_of, with_method
from backend.checks.titles import title
from backend.core import refs
from backend.core.errors import Problem
from backend.core.refs import EndpointMark
from backend.core.schemas import JobView
from backend.core.schemas import Kind as Artifact
from studio.ui.forms import pickers
from studio.ui.forms.fields import Kind, draw, examples_of, kind_of, parse
from studio.ui.forms.layout import ANSWERERS, SENDING, TEACHING
from studio.ui.forms.marks import mark_of, marks_of
from studio.ui.shared import api_cache, scope
from studio.ui.shared.choices import JUDGING, PROSE
from studio.ui.shared.formatting import message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.project_progress import own_runs

_FLAGS = re.compile(r" \((?:[^()]*, )?--[a-z][^()]*\)")
"""What a sentence adds for the command line."""


@dataclass
class Form:
    """One form of one stage in the session's project. `choices`: options (value -> label) of fields that a page fills itself,
    such as the columns of a file; `preset`: what the page proposes; `drawn`: the fields that are drawn already, for a page may
    draw some elsewhere, with their `problems`. What the user chose is the draft; all else follows the project."""

    stage: str
    choices: dict[str, dict[str, str]] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    preset: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.project = project().id
        self.fields: dict[str, FieldInfo] = {
            name: info for name, info in form_of(self.stage).params.model_fields.items() if name not in self.hidden
        }
        self.choices = {name: options for name, options in self.choices.items() if name in self.fields}
        for name, info in self.fields.items():
            if any(marks_of(info.metadata, info.annotation, EndpointMark)):
                self.choices.setdefault(name, pickers.endpoint_choices())
        self.marks = {name: mark for name, info in self.fields.items() if (mark := mark_of(info))}
        for name, mark in self.marks.items():
            none = {"": _("none")} if self._optional(name) else {}
            self.choices.setdefault(name, none | pickers.choices(mark))
        self.touched = self._touched()
        self.drawn: set[str] = set()
        self.problems: dict[str, list[Problem]] = {}
        self.objected = False  # by the check, which comes after
        self.hints: dict[str, str] = {}  # below fields, by what the plan says
        self._place()

    def key(self, name: str) -> str:
        return f"form.{self.project}.{self.stage}.{name}"

    @property
    def answerer(self) -> str:
        """Who answers, of ANSWERERS; "" in a form that doesn't ask."""
        return str(st.session_state.get(self.key("answerer")) or "model") if "endpoint_url" in self.fields else ""

    def shown(self) -> list[str]:
        """The fields that count now, the basic ones first."""
        off: set[str] = set()
        if self.answerer:
            off = {name for who, names in ANSWERERS.items() for name in names if who != self.answerer}
            off |= {*SENDING, *TEACHING} if self.answerer == "model" else set()
            off |= {"batch"} if self.answerer == "endpoint" else set()  # only presets are known to have it
        if "combine" in self.fields:
            judged = st.session_state.get(self.key("combine")) == "best_of_n"
            off = off - {"budget", *SENDING} if judged else off | set(JUDGING)  # a judge may be an endpoint
        off |= form_of(self.stage).inactive({name: st.session_state.get(self.key(name)) for name in self.fields})
        if "overrule" in self.fields and not self._has_objection():
            off.add("overrule")
        order = [name for name in self._open() if name in self.fields]
        return [name for name in [*order, *(n for n in self.fields if n not in order)] if name not in off]

    def _has_objection(self) -> bool:
        """Whether something speaks against the chosen model, a chosen report or what the check found: only then there is
        something to overrule."""
        if self.objected or self.touched.get("overrule"):
            return True
        held = {name: st.session_state.get(self.key(name)) for name in ("model", "reports")}
        chosen = [view for view in api_cache.artifacts((Artifact.REPORT,)) if view.id in (held["reports"] or ())]
        return any(not view.facts.get("passed") or view.facts.get("model") != held["model"] for view in chosen)

    def basic(self) -> list[str]:
        return [name for name in self.shown() if name in self._open()]

    def _open(self) -> tuple[str, ...]:
        return (*ANSWERERS.get(self.answerer, ()), *form_of(self.stage).open)

    def lacking(self) -> list[str]:
        """The references that have to be given and for which there is nothing to choose."""
        many = (Kind.REFS, Kind.LIST)
        shown = [name for name in self.shown() if name in self.marks and kind_of(self.fields[name]) not in many]
        return [name for name in shown if not self.choices[name].keys() - {pickers.OTHERS}]

    def values(self) -> tuple[dict[str, Any], list[Problem]]:
        """What is not default, as plain parameters, and what could not be read."""
        raw: dict[str, Any] = {}
        problems: list[Problem] = []
        for name in self.shown():
            info = self.fields[name]
            if name in self.gone:
                problems.append(Problem(code="core.choice_gone", args={"ref": self.gone[name]}, field=name))
                continue
            value = parse(kind_of(info), st.session_state[self.key(name)])
            value = None if value == "" and self._optional(name) else value
            if value is not None and value != info.get_default(call_default_factory=True):
                raw[name] = value
        return raw, problems

    def keep(self, problems: list[Problem]) -> None:
        """Save what the user chose, when it changed; not what a problem stands against: it may be a key in a wrong box."""
        wrong = {(problem.field or "").partition(".")[0] for problem in problems}
        kept = {name: value for name, value in self.touched.items() if name not in wrong}
        if st.session_state.get(self.key("kept")) != kept:
            api_cache.studio().save_draft(self.project, self.stage, kept)
            st.session_state[self.key("kept")] = kept

    def draw(self, names: list[str], problems: dict[str, list[Problem]]) -> None:
        """Widgets of these fields, each with its problems below."""
        self.drawn.update(names)
        examples = examples_of(self.stage, self.key)
        for name in names:
            options, hint = self.choices.get(name), self.hints.get(name, "")
            draw(self.stage, name, self.fields[name], self.key(name), options, hint, examples.get(name, ""))
            for problem in problems.get(name, []):
                problem_line(problem)

    def load(self, job: JobView) -> None:
        """Take the parameters of an earlier job, its references replaced by what they stood for."""
        run = api_cache.studio().run(job.run_id)
        made = {each.stage_id: each.result.get("artifact", "") for each in run.jobs}
        plain = with_method({name: value for name, value in job.params.items() if name in self.fields})
        needed = dict.fromkeys(refs.referenced_ids(plain), "")
        values = refs.replace_refs(plain, needed | made)
        proposed = self._proposal({})
        self.touched = {name: held for name in values if (held := self._held(name, values[name])) != proposed.get(name)}
        if "endpoint_url" in self.fields:
            self.touched["answerer"] = next((who for who, (name, *_) in ANSWERERS.items() if values.get(name)), "model")
        self._place()

    def take(self, values: dict[str, Any]) -> None:
        """These values as if they had been chosen here. Call it in a callback."""
        self.touched |= values
        self._place()

    def renew(self, names: Iterable[str]) -> None:
        """Forget what was chosen for these fields: they get a new proposal."""
        for name in names:
            self.touched.pop(name, None)
        self._place()

    @property
    def _names(self) -> list[str]:
        return [*self.fields, *(["answerer"] if "endpoint_url" in self.fields else [])]

    def _touched(self) -> dict[str, Any]:
        """What the user chose: the draft of a new session, and every value that is no longer the one placed here."""
        mark, placed = self.key("touched"), st.session_state.get(self.key("placed"), {})
        if mark not in st.session_state:
            draft = api_cache.studio().draft(self.project, self.stage)
            st.session_state[mark] = draft
            st.session_state[self.key("kept")] = dict(draft)
        touched: dict[str, Any] = st.session_state[mark]
        for name in self._names:
            key = self.key(name)
            if name in placed and key in st.session_state and st.session_state[key] != placed[name]:
                held = st.session_state[key]
                if not self._opens_others(name, held):
                    touched[name] = held
            if st.session_state.get(self.key(f"{name}.others")):
                self.choices[name] = pickers.with_others(self.choices[name], self.marks[name])
        return touched

    def _opens_others(self, name: str, held: Any) -> bool:
        """Whether somebody asked for the things of other projects, which are on offer from now on."""
        asked = name in self.marks and (held == pickers.OTHERS or (isinstance(held, list) and pickers.OTHERS in held))
        if asked:
            st.session_state[self.key(f"{name}.others")] = True
        return asked

    def _place(self) -> None:
        """Put into the session what the widgets show: the user's values, else what is proposed now."""
        st.session_state[self.key("touched")] = self.touched
        proposed = self._proposal(self.touched)
        self.gone: dict[str, str] = {}
        placed = st.session_state.setdefault(self.key("placed"), {})
        for name in self._names:
            value = self._there(name, self.touched[name]) if name in self.touched else proposed.get(name)
            if st.session_state.get(self.key(name), self) != value or self._relabelled(name):
                st.session_state[self.key(name)] = value
            placed[name] = value

    def _relabelled(self, name: str) -> bool:
        """Whether the options of a field have other words than before: a browser goes on showing the old ones, unless it is
        told the value again."""
        options = self.choices.get(name)
        if not options:
            return False
        labels, mark = list(options.values()), self.key(f"{name}.labels")
        before = st.session_state.get(mark, labels)
        st.session_state[mark] = labels
        return bool(before != labels)

    def _optional(self, name: str) -> bool:
        """A reference that may be left out, for good; the one of who answers may not, where no endpoint does."""
        return (
            name in self.marks
            and type(None) in get_args(self.fields[name].annotation)
            and name not in ANSWERERS["model"]
        )

    def _there(self, name: str, value: Any) -> Any:
        """A chosen value as far as it is still on offer: a built-in model may have become an artifact meanwhile."""
        options = self.choices.get(name)
        if options is None or value is None:
            return value
        ids = self._ids(name)
        if kind_of(self.fields[name]) is Kind.LIST and not isinstance(value, list):  # it was a text field before
            value = parse(Kind.LIST, value) or []
        if name in self.marks and any(one not in options for one in (value if isinstance(value, list) else [value])):
            options = self._with_others(name, value)
        if isinstance(value, list):
            return [one for one in value if one in options]
        if value in options:
            return value
        if value in ids:
            return ids[value]
        self.gone[name] = str(value).rpartition("/")[2]
        return None

    def _with_others(self, name: str, value: Any) -> dict[str, str]:
        """The options of a field for which something of another project was chosen, by a link or by an earlier job."""
        wider = pickers.with_others(self.choices[name], self.marks[name])
        if any(one in wider for one in (value if isinstance(value, list) else [value])):
            self.choices[name] = wider
        return self.choices[name]

    def _ids(self, name: str) -> dict[str, str]:
        """Names of the artifacts that a field offers -> their ids; of two with one name the newest, the project's first."""
        own, others = scope.split(reversed(api_cache.artifacts()))
        return {view.name: view.id for view in [*others, *own] if view.id in self.choices[name]}

    def _held(self, name: str, value: Any) -> Any:
        """A value as its widget holds it."""
        listed = kind_of(self.fields[name]) is Kind.LIST and isinstance(value, list) and name not in self.choices
        return ", ".join(map(str, value)) if listed else value

    def _proposal(self, touched: dict[str, Any]) -> dict[str, Any]:
        """What the form begins with, as widgets hold it: defaults, the newest fitting artifacts, what follows from them."""
        values: dict[str, Any] = {"answerer": "model"}
        for name, info in self.fields.items():
            default = None if info.is_required() else info.get_default(call_default_factory=True)
            default = _(str(default)) if name in PROSE else "" if default is None and self._optional(name) else default
            if name in self.marks and isinstance(default, str):
                default = self._ids(name).get(default, default)
            known = name not in self.choices or isinstance(default, list) or default in self.choices[name]
            values[name] = default if known else self._preferred(name)
        values |= {name: value for name, value in self.preset.items() if name in self.fields}
        values |= pickers.suggested(self.stage, {**values, **touched})
        return {name: self._held(name, value) if name in self.fields else value for name, value in values.items()}

    def _preferred(self, name: str) -> Any:
        foreign = {pickers.OTHERS, *(view.id for view in scope.split(api_cache.artifacts())[1])}
        options = [value for value in self.choices[name] if value not in foreign]
        if kind_of(self.fields[name]) in (Kind.REFS, Kind.CHOICES):
            return []
        runs = own_runs(self.project)
        return pickers.preferred(self.stage, name, options, runs) or None


def problem_line(problem: Problem) -> None:
    """One problem below its field, without the name of the field and the flags of the command line; artifacts by their names,
    not their ids."""
    names = {view.id: view.name for view in api_cache.artifacts()}
    args = {key: names.get(value, value) if isinstance(value, str) else value for key, value in problem.args.items()}
    if problem.code == "package.report_failed":
        args["failed"] = "; ".join(_(title(name)) for name in str(args["failed"]).split(", "))
    text = message_markdown(_FLAGS.sub("", problem.model_copy(update={"args": args}).sentence(_)))
    mark = ":red[:material/error:]" if problem.blocking else ":orange[:material/warning:]"
    st.markdown(f"{mark} :{'red' if problem.blocking else 'orange'}[{text}]")
