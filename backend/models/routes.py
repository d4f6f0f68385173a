"""The ways from a teacher to a student: which are possible for this teacher, student and data, which is the best and why.

`sequence`: the student learns the answers as text. `logit`: it also learns the probabilities that a capture holds. What is
looked at: who answered the rows, whether both models split text into the same tokens, chat templates, memory and disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from backend.errors import Problem
from backend.models.captures import tokenizer_hashes
from backend.schemas import ArtifactView, Kind, Quote, View
from backend.stages import capture
from backend.stages.base import World

Find = Callable[[str], ArtifactView | None]
MODELS = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX)


class Route(View):
    """`reason` says why it is possible or not; `quote`: what it takes beside the training itself."""

    name: str
    possible: bool
    reason: Problem
    quote: Quote | None = None


class Choice(View):
    """All routes there are; `recommended` names one of them."""

    routes: list[Route]
    recommended: str
    why: Problem

    def possible(self, name: str) -> bool:
        return any(route.name == name and route.possible for route in self.routes)


def choose(student: ArtifactView, data: ArtifactView, find: Find, world: World) -> Choice:
    """`student`: a model or an adapter; `data`: a dataset with answers in its train rows; `find` looks up an artifact."""
    sequence, logit = _sequence(data), _logit(student, data, find, world)
    best = "logit" if logit.possible else "sequence"
    return Choice(routes=[sequence, logit], recommended=best, why=Problem(code=f"route.why_{best}"))


def teacher_of(data: ArtifactView, find: Find) -> ArtifactView | None:
    """The model whose answers a dataset holds, also when they were filtered or reviewed since; None for people, endpoints
    and several teachers."""
    if not data.facts.get("teacher"):
        return None
    ids = data.facts["teachers"] if "teachers" in data.facts else _models_behind(data, find)
    found = find(ids[0]) if len(ids) == 1 else None
    return found if found and found.kind in MODELS else None


def gold_of(data: ArtifactView, find: Find) -> ArtifactView | None:
    """The dataset that a teacher was asked from: the rows with people's answers. None when it was deleted."""
    return next((view for view in _line(data, find) if not view.facts.get("teacher")), None)


def _models_behind(data: ArtifactView, find: Find) -> list[str]:
    """The models that a dataset without the fact `teachers`, an older one, was made with; none where a judge or a generator
    may be among them."""
    if data.facts.keys() & {"judge", "generator"}:
        return []
    made_with = (
        [id_ for id_ in view.parents if (model := find(id_)) and model.kind in MODELS] for view in _line(data, find)
    )
    return next(filter(None, made_with), [])


def _line(data: ArtifactView, find: Find) -> list[ArtifactView]:
    """A dataset and those that it was made from, the nearest first."""
    line = [data]
    for view in line:
        line += [parent for id_ in view.parents if (parent := find(id_)) and parent.kind is Kind.DATASET]
    return line


def _sequence(data: ArtifactView) -> Route:
    teacher = data.facts.get("teacher")
    reason = Problem(code="route.answers", args={"teacher": teacher}) if teacher else Problem(code="route.people")
    return Route(name="sequence", possible=True, reason=reason)


def _logit(student: ArtifactView, data: ArtifactView, find: Find, world: World) -> Route:
    teacher = teacher_of(data, find)
    wrong = _unfit(student, data, teacher)
    if wrong or teacher is None:
        return Route(name="logit", possible=False, reason=wrong or Problem(code="route.no_teacher"))
    params = capture.CaptureParams(teacher=teacher.id, data=data.id)
    problems = [problem for problem in capture.check(params, world) if problem.blocking]
    if problems:
        return Route(name="logit", possible=False, reason=problems[0])
    return Route(name="logit", possible=True, reason=_compared(student, teacher), quote=capture.quote(params, world))


def _unfit(student: ArtifactView, data: ArtifactView, teacher: ArtifactView | None) -> Problem | None:
    """Why no capture of this teacher can teach this student; None when one can."""
    if teacher is None:
        name = data.facts.get("teacher")
        return Problem(code="route.endpoint", args={"teacher": name}) if name else Problem(code="route.no_teacher")
    if teacher.kind is Kind.ONNX:
        return Problem(code="route.onnx", args={"teacher": teacher.name})
    found = _compared(student, teacher)
    return None if found.code in ("route.same", "route.part") else found


def _compared(student: ArtifactView, teacher: ArtifactView) -> Problem:
    """How the two tokenizers stand to each other."""
    for view in (student, teacher):
        if not (view.path / "tokenizer.json").is_file():
            return Problem(code="core.artifact_damaged", args={"ref": view.name, "file": "tokenizer.json"})
    ours, theirs = tokenizer_hashes(student.path), tokenizer_hashes(teacher.path)
    if ours["chat_template"] != theirs["chat_template"]:
        return Problem(code="route.chat_template", args={"teacher": teacher.name})
    if ours["tokenizer"] == theirs["tokenizer"]:
        return Problem(code="route.same", args={"teacher": teacher.name})
    mine, known = vocabulary(student.path), vocabulary(teacher.path)
    counts = {"student": len(mine), "tokens": len(known), "lacking": len(mine - known)}
    code = "route.part" if mine <= known else "route.tokens"
    return Problem(code=code, args={"teacher": teacher.name, **counts})


def vocabulary(folder: Path) -> frozenset[str]:
    """All tokens of a model folder's tokenizer, added ones too."""
    file = folder / "tokenizer.json"
    return _vocabulary(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _vocabulary(file: Path, _changed: int) -> frozenset[str]:
    content = json.loads(file.read_text("utf-8"))
    added = [token["content"] for token in content.get("added_tokens", [])]
    tokens = content["model"]["vocab"]
    return frozenset([*added, *(tokens if isinstance(tokens, dict) else (token for token, _ in tokens))])
