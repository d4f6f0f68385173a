"""The distillation methods: which are possible for this teacher, student and data, which is the best and why.

backend.training.methods says what each of them is. What is looked at: who answered the rows, whether both models split text
into the same tokens, chat templates, what the student was pruned from, memory and disk.
"""

from __future__ import annotations

from collections.abc import Callable

from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind, Quote, View
from backend.core.stage import World
from backend.stages import capture, distill
from backend.training.methods import ONLINE_METHODS, compare_tokenizers

Find = Callable[[str], ArtifactView | None]
MODELS = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX)


class MethodOption(View):
    """`reason` says why it is possible or not; `quote`: what it takes beside the training itself."""

    name: str
    possible: bool
    reason: Problem
    quote: Quote | None = None


class MethodChoice(View):
    """All methods; `recommended` names one of them."""

    methods: list[MethodOption]
    recommended: str
    why: Problem

    def possible(self, name: str) -> bool:
        return any(method.name == name and method.possible for method in self.methods)


def choose_method(
    student: ArtifactView, data: ArtifactView, find: Find, world: World, teacher: ArtifactView | None = None
) -> MethodChoice:
    """`student`: a model or an adapter; `data`: a dataset with answers in its train rows; `find` looks up an artifact;
    `teacher`: whoever else than the one that answered the rows."""
    teacher = teacher or teacher_of(data, find)
    methods = [_sequence(data), _offline_logit(student, data, teacher, world)]
    methods += [_online(name, student, data, teacher, world) for name in ONLINE_METHODS]
    possible = {method.name for method in methods if method.possible}
    best = next(name for name in ("offline_logit", "online_logit", "sequence") if name in possible)
    return MethodChoice(methods=methods, recommended=best, why=Problem(code=f"method.why_{best}"))


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
    return next((view for view in _dataset_lineage(data, find) if not view.facts.get("teacher")), None)


def _models_behind(data: ArtifactView, find: Find) -> list[str]:
    """The models that a dataset without the fact `teachers`, an older one, was made with; none where a judge or a generator
    may be among them."""
    if data.facts.keys() & {"judge", "generator"}:
        return []
    made_with = (
        [id_ for id_ in view.parents if (model := find(id_)) and model.kind in MODELS]
        for view in _dataset_lineage(data, find)
    )
    return next(filter(None, made_with), [])


def _dataset_lineage(data: ArtifactView, find: Find) -> list[ArtifactView]:
    """A dataset and those that it was made from, the nearest first."""
    line = [data]
    for view in line:
        line += [parent for id_ in view.parents if (parent := find(id_)) and parent.kind is Kind.DATASET]
    return line


def _sequence(data: ArtifactView) -> MethodOption:
    teacher = data.facts.get("teacher")
    reason = Problem(code="method.answers", args={"teacher": teacher}) if teacher else Problem(code="method.people")
    return MethodOption(name="sequence", possible=True, reason=reason)


def _offline_logit(
    student: ArtifactView, data: ArtifactView, teacher: ArtifactView | None, world: World
) -> MethodOption:
    if (wrong := _no_probabilities(data, teacher)) or teacher is None:
        return MethodOption(name="offline_logit", possible=False, reason=wrong or Problem(code="method.no_teacher"))
    found = compare_tokenizers(student.path, teacher.path, teacher.name)
    if found.code not in ("method.same", "method.part"):
        return MethodOption(name="offline_logit", possible=False, reason=found)
    params = capture.CaptureParams(teacher=teacher.id, data=data.id)
    problems = [problem for problem in capture.check(params, world) if problem.blocking]
    if problems:
        return MethodOption(name="offline_logit", possible=False, reason=problems[0])
    return MethodOption(name="offline_logit", possible=True, reason=found, quote=capture.quote(params, world))


def _online(
    name: str, student: ArtifactView, data: ArtifactView, teacher: ArtifactView | None, world: World
) -> MethodOption:
    """A method with the teacher in memory; its quote is what it takes more than the answers alone."""
    if (wrong := _no_probabilities(data, teacher)) or teacher is None:
        return MethodOption(name=name, possible=False, reason=wrong or Problem(code="method.no_teacher"))
    plain = distill.DistillParams(student=student.id, data=data.id)
    params = distill.DistillParams.model_validate({**plain.model_dump(), "method": name, "teacher": teacher.id})
    problems = [_named(problem, teacher) for problem in distill.check(params, world) if problem.blocking]
    if problems:
        return MethodOption(name=name, possible=False, reason=problems[0])
    whole, alone = distill.quote(params, world), distill.quote(plain, world)
    more = Quote(
        seconds=whole.seconds - alone.seconds, memory_bytes=whole.memory_bytes - alone.memory_bytes, disk_bytes=0
    )
    return MethodOption(
        name=name, possible=True, reason=Problem(code=f"method.{name}", args={"teacher": teacher.name}), quote=more
    )


def _named(problem: Problem, teacher: ArtifactView) -> Problem:
    """The teacher by its name, not its id."""
    args = {key: teacher.name if value == teacher.id else value for key, value in problem.args.items()}
    return problem.model_copy(update={"args": args})


def _no_probabilities(data: ArtifactView, teacher: ArtifactView | None) -> Problem | None:
    """Why no probabilities can be had of this teacher; None when they can."""
    if teacher is None:
        name = data.facts.get("teacher")
        return Problem(code="method.endpoint", args={"teacher": name}) if name else Problem(code="method.no_teacher")
    return Problem(code="method.onnx", args={"teacher": teacher.name}) if teacher.kind is Kind.ONNX else None
