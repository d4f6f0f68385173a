"""From goal, file and preset to a recipe: data, checks, quick baseline, tuning or distillation, INT4, measurements, package.

It is a recipe like any other: it can be saved, changed and run from the command line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unicodedata import combining, normalize

from backend.planning.guide.goals import Goal, Material
from backend.planning.guide.presets import Preset

TUNED_TEACHER = "tune"
"""The teacher that is made first: the student's own model, tuned on the answers in the file."""
_LEAST_LAYERS = 2
_MASKS = ("mask_secrets", "mask_personal")
Entry = dict[str, Any]


@dataclass(frozen=True)
class Teacher:
    """`kind`: a `model` of the home, a saved `endpoint`, or one that is made of the answers in the file (`tune`). `ref`: id of
    the model or name of the endpoint; `layers`: of a model that a student can be made of, 0 where none can."""

    kind: str
    ref: str = ""
    layers: int = 0


@dataclass(frozen=True)
class Wish:
    """All that somebody has chosen. `source`: parameters of the stage `dataset`; `student`: the model that is tuned, and its
    layers; `fixes`: of the stage `clean_data`; `personal`: what happens to personal data and keys where the teacher is an
    endpoint elsewhere, "mask", "send" or "ask" (stop before anything is sent), else ""."""

    goal: Goal
    preset: Preset
    source: dict[str, Any]
    student: str
    student_layers: int
    material: Material
    teacher: Teacher | None = None
    fixes: Sequence[str] = ()
    personal: str = ""

    @property
    def cleaning(self) -> list[str]:
        """The demo is divided by template, so that a few near copies lie in two splits; those of training go. What is masked
        is masked for good: the teacher is measured on the same rows, and the student learns from them."""
        demo = str(self.source.get("source", "")).startswith("demo:")
        return [*(self.fixes or (["drop_leaks"] if demo else [])), *(_MASKS if self.personal == "mask" else [])]


def stem(source: str) -> str:
    """A name for what is made of a file: letters without accents, digits and hyphens."""
    name = source.removeprefix("demo:") if source.startswith("demo:") else Path(source).stem
    name = "".join(char for char in normalize("NFKD", name) if not combining(char))
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "model"


def recipe_of(wish: Wish) -> dict[str, Any]:
    """The recipe as plain data. What can't be measured, for want of test rows, is left out."""
    name = stem(str(wish.source.get("source", "")))
    steps = [*_data(wish), *(_distilled(wish, name) if wish.goal.distills else _tuned(wish, name))]
    return {"name": name, "stages": steps}


def _ref(id_: str) -> str:
    return f"${{{id_}}}"


def _entry(id_: str, stage: str, after: Sequence[str] = (), **params: Any) -> Entry:
    return {"id": id_, "stage": stage, **({"after": list(after)} if after else {}), "params": params}


def _data(wish: Wish) -> list[Entry]:
    source = dict(wish.source)
    if wish.preset.rows and not source.get("max_rows"):
        source["max_rows"] = wish.preset.rows
    if wish.material.answer == "label" and wish.teacher and wish.teacher.kind != TUNED_TEACHER:
        source["list_labels"] = True  # a teacher that was never tuned has to be told them
    steps = [_entry("data", "dataset", **source)]
    if wish.cleaning:
        steps.append(_entry("clean", "clean_data", data=_ref("data"), fixes=wish.cleaning))
    steps.append(_entry("check", "check_data", data=_dataset(wish), model=wish.student, stop=True))
    if wish.material.measurable("validation") and wish.material.rows.get("train"):
        steps.append(_entry("baseline", "baseline", ["check"], data=_dataset(wish)))
    return steps


def _dataset(wish: Wish) -> str:
    return _ref("clean" if wish.cleaning else "data")


def _tuned(wish: Wish, name: str) -> list[Entry]:
    steps = [_tuning(wish, "tuned", f"{name}-tuned"), _int4(wish, "tuned", name)]
    before = [_measured(wish, "eval_before", wish.student)] if wish.preset.before else []
    asked = [*before, _measured(wish, "eval_tuned", _ref("tuned")), _measured(wish, "eval_int4", _ref("int4"))]
    return _finished(wish, name, steps, asked)


def _tuning(wish: Wish, id_: str, name: str) -> Entry:
    preset = wish.preset
    shape = {"epochs": preset.epochs, "rank": preset.rank, "alpha": 2 * preset.rank}
    return _entry(id_, "finetune", ["check"], model=wish.student, data=_dataset(wish), name=name, **shape)


def _distilled(wish: Wish, name: str) -> list[Entry]:
    """A tuned teacher scores the answers that are there; any other answers the rows first."""
    teacher = wish.teacher
    assert teacher
    steps: list[Entry] = []
    answerer = {"endpoint": teacher.ref} if teacher.kind == "endpoint" else {"model": teacher.ref}
    if teacher.kind == TUNED_TEACHER:
        steps.append(_tuning(wish, "teacher", f"{name}-teacher"))
        answerer = {"model": _ref("teacher")}
    learned, scores = _dataset(wish), {}
    if wish.material.pool or teacher.kind != TUNED_TEACHER:
        splits = ["pool"] if wish.material.pool else ["train"]
        personal = {"personal_data": wish.personal} if wish.personal else {}
        steps.append(_entry("answers", "teacher", ["check"], **answerer, **personal, data=learned, splits=splits))
        learned = _ref("answers")
    else:
        scores = {"method": "online_logit", "teacher": _ref("teacher")}
    student, made = _student(wish, answerer, name)
    steps += made
    training = {"student": student, "data": learned, "epochs": wish.preset.student_epochs, "name": f"{name}-student"}
    steps += [_entry("student", "distill", ["check"], **training, **scores), _int4(wish, "student", name)]
    asked = [
        _measured(wish, "eval_teacher", **answerer),
        _measured(wish, "eval_student", _ref("student")),
        _measured(wish, "eval_int4", _ref("int4")),
    ]
    return _finished(wish, name, steps, asked)


def _student(wish: Wish, answerer: dict[str, str], name: str) -> tuple[str, list[Entry]]:
    """(the model that learns, the steps that make it): a few layers of the teacher where it can be taken apart."""
    teacher = wish.teacher
    assert teacher
    layers = wish.student_layers if teacher.kind == TUNED_TEACHER else teacher.layers
    if not layers:
        return wish.student, []
    keep = min(layers, max(_LEAST_LAYERS, round(wish.preset.layers * layers)))
    pruning = {"model": answerer["model"], "data": _dataset(wish), "keep_layers": keep, "name": f"{name}-pruned"}
    return _ref("pruned"), [_entry("pruned", "prune", ["check"], **pruning)]


def _int4(wish: Wish, of: str, name: str) -> Entry:
    return _entry(
        "int4", "quantize", model=_ref(of), precision="int4", name=f"{name}-int4", **dict(wish.preset.quantize)
    )


def _measured(wish: Wish, id_: str, model: str = "", **who: str) -> Entry:
    asked = {"model": model, **who} if model else who
    untrained = {"max_invalid": 1, "max_cut_off": 1, "min_numbers": 0} if id_ == "eval_before" else {}
    return _entry(id_, "evaluate", ["check"], **asked, data=_dataset(wish), max_rows=wish.preset.measured, **untrained)


def _finished(wish: Wish, name: str, steps: list[Entry], asked: list[Entry]) -> list[Entry]:
    """The measurements, where there are rows to measure on, and the package that shows them."""
    asked = asked if wish.material.measurable() else []
    shown = [_ref(entry["id"]) for entry in asked if entry["id"] != "eval_before"]
    package = _entry("package", "package", model=_ref("int4"), name=name, evaluations=shown)
    return [*steps, *asked, package]
