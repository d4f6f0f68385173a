"""The distillation methods as forms and checks see them: which fields each reads, and what rules it out. No torch.

`sequence`: answers alone. `offline_logit`: and the probabilities of a capture. With the teacher in memory: `online_logit`
(its whole distribution), `on_policy` (also on answers that the student samples), `cross_tokenizer` (a teacher that
splits text into other tokens), `hidden_states` (those of the layers that the student was pruned from).
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from backend.core.errors import Problem
from backend.core.fields import Labels
from backend.core.refs import TorchRef
from backend.core.stage import ArtifactInfo, World
from backend.models import costs
from backend.training.captures import LogitParams, check_capture, tokenizer_hashes
from backend.training.params import Workload


class DistillationMethod(NamedTuple):
    """One row of the registry. `fields`: those that it reads; with the others they have no effect. `module`: the file of
    `backend.ml.distillation` whose `make_trainer` teaches so; "" for the plain trainer. `merges_turns`: several answers of
    one conversation may stand in one sequence; the others know one answer a row. `summed`: its loss is a sum over positions,
    so that a batch can be computed in parts."""

    name: str
    title: str
    fields: tuple[str, ...]
    module: str = ""
    merges_turns: bool = False
    summed: bool = False


_LOGIT = ("kl_weight", "temperature", "divergence")
METHODS = (
    DistillationMethod(
        "sequence", "Answers (sequence)", ("rationale", "rationale_weight"), merges_turns=True, summed=True
    ),
    DistillationMethod(
        "offline_logit", "Answers and probabilities (offline logit)", ("capture", *_LOGIT), "offline", summed=True
    ),
    DistillationMethod("online_logit", "Teacher in memory (online logit)", ("teacher", *_LOGIT), "online", True, True),
    DistillationMethod(
        "on_policy", "The student's own answers (on-policy)", ("teacher", *_LOGIT, "own_share", "own_tokens"), "online"
    ),
    DistillationMethod(
        "cross_tokenizer",
        "Teacher with another tokenizer (cross-tokenizer)",
        ("teacher", "kl_weight", "temperature"),
        "cross_tokenizer",
    ),
    DistillationMethod(
        "hidden_states", "The teacher's layers (hidden states)", ("teacher", "kl_weight"), "hidden_states"
    ),
)
MERGING_METHODS = tuple(method.name for method in METHODS if method.merges_turns)
SUMMED_METHODS = tuple(method.name for method in METHODS if method.summed)
METHOD_FIELDS = {method.name: method.fields for method in METHODS}
ONLINE_METHODS = tuple(method.name for method in METHODS if "teacher" in method.fields)
"""The methods that hold the teacher in memory with the student."""
if TYPE_CHECKING:
    MethodName = str
else:
    MethodName = Annotated[Literal[tuple(METHOD_FIELDS)], Labels({method.name: method.title for method in METHODS})]


class MethodParams(LogitParams):
    """What `distill` asks about the method."""

    method: MethodName = Field(
        default="sequence",
        title="Distillation method",
        description="What the student learns: the teacher's answers, or its probabilities too. Available "
        "methods are listed below.",
    )
    teacher: TorchRef | None = Field(
        default=None,
        title="Teacher",
        description="Model loaded with the student to score what it reads. It does not change.",
    )
    own_share: float = Field(
        default=0.5,
        ge=0.01,
        le=1,
        title="Share of on-policy batches",
        description="Share of batches the student answers while the teacher scores. The rest use the "
        "dataset's answers.",
    )
    own_tokens: int = Field(
        default=64,
        ge=1,
        le=4096,
        title="Maximum on-policy answer (tokens)",
        description="Maximum tokens in the student's answers. Longer is slower until it learns to stop.",
    )

    @model_validator(mode="before")
    @classmethod
    def _capture_means_offline_logit(cls, raw: Any) -> Any:
        return with_method(raw) if isinstance(raw, dict) else raw


def with_method(raw: dict[str, Any]) -> dict[str, Any]:
    """Parameters that name a capture and no method, as older recipes do, mean `offline_logit`."""
    return {**raw, "method": "offline_logit"} if raw.get("capture") and "method" not in raw else raw


def check_method(params: MethodParams, student_ref: str, data_ref: str, world: World) -> list[Problem]:
    """What can be seen before a student learns on a method; the references are known to be good."""
    problems = _unused_field_problems(params)
    if params.method == "offline_logit" and not params.capture:
        problems.append(Problem(code="method.capture_missing", field="capture"))
    elif params.method == "offline_logit":
        problems += check_capture(params, student_ref, data_ref, world)
    elif params.method in ONLINE_METHODS:
        problems += _check_teacher(params, student_ref, world)
    return problems


def teacher_cost(
    params: MethodParams, teacher: dict[str, Any], student: dict[str, Any], shape: Workload, batch_size: int
) -> tuple[float, int]:
    """(seconds on the reference machine, bytes) that a teacher with these facts adds to a training of this shape."""
    scored = 0 if params.method == "hidden_states" else int(teacher["vocabulary"])
    seconds = costs.start_seconds(teacher) + costs.teacher_forward_seconds(
        teacher, shape.rows, shape.tokens, shape.answers
    )
    seconds += costs.divergence_seconds({"vocabulary": scored}, shape.rows * shape.answers)
    answers = shape.answers
    if params.method == "on_policy":
        seconds += costs.sampling_seconds(student, shape.rows / batch_size * params.own_share, params.own_tokens)
        answers = max(answers, params.own_tokens)
    return seconds, costs.teacher_in_memory_bytes(teacher, batch_size * answers * scored)


def tokenizer_problem(method: str, student: Path, teacher: Path, name: str) -> Problem | None:
    """What of the tokenizers in two model folders stands against a method with the teacher `name`; None when nothing does."""
    found = compare_tokenizers(student, teacher, name)
    alike = found.code in ("method.same", "method.part")
    if method != "cross_tokenizer":
        return None if alike else found
    if alike:
        return Problem(code="method.alike", args={"teacher": name}, field="method")
    if found.code == "core.artifact_damaged":
        return found
    other = next((folder for folder in (student, teacher) if not _byte_level(folder)), None)
    return Problem(code="method.not_bytes", args={"teacher": name}, field="teacher") if other else None


def kept_layers_problem(student: dict[str, Any], teacher: dict[str, Any], name: str) -> Problem | None:
    """Why the layers of a student and of the teacher `name`, by their facts, don't belong together; None when they do."""
    kept = student.get("kept_layers")
    if not kept:
        return Problem(code="method.not_pruned", args={"teacher": name}, field="student")
    if student["hidden_size"] != teacher["hidden_size"] or max(kept) >= int(teacher["layers"]):
        return Problem(code="method.other_layers", args={"teacher": name}, field="teacher")
    return None


def compare_tokenizers(student: Path, teacher: Path, name: str) -> Problem:
    """How the tokenizers in two model folders stand to each other: `method.same`, `method.part` or what sets them apart."""
    for folder in (student, teacher):
        if not (folder / "tokenizer.json").is_file():
            return Problem(code="core.artifact_damaged", args={"ref": folder.name, "file": "tokenizer.json"})
    ours, theirs = tokenizer_hashes(student), tokenizer_hashes(teacher)
    if ours["chat_template"] != theirs["chat_template"]:
        return Problem(code="method.chat_template", args={"teacher": name})
    if ours["tokenizer"] == theirs["tokenizer"]:
        return Problem(code="method.same", args={"teacher": name})
    mine, known = token_set(student), token_set(teacher)
    counts = {"student": len(mine), "tokens": len(known), "lacking": len(mine - known)}
    code = "method.part" if mine <= known else "method.tokens"
    return Problem(code=code, args={"teacher": name, **counts})


def token_set(folder: Path) -> frozenset[str]:
    """All tokens of a model folder's tokenizer, added ones too."""
    file = folder / "tokenizer.json"
    return _token_set(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _token_set(file: Path, _changed: int) -> frozenset[str]:
    content = json.loads(file.read_text("utf-8"))
    added = [token["content"] for token in content.get("added_tokens", [])]
    tokens = content["model"]["vocab"]
    return frozenset([*added, *(tokens if isinstance(tokens, dict) else (token for token, _ in tokens))])


def _byte_level(folder: Path) -> bool:
    """Whether tokens are runs of bytes, so that two tokenizers can be laid side by side."""
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    return any("ByteLevel" in json.dumps(content.get(part)) for part in ("pre_tokenizer", "decoder"))


def unused_fields(method: str | None) -> set[str]:
    """The fields that have no effect on a method."""
    return {field for asked in METHOD_FIELDS.values() for field in asked} - set(METHOD_FIELDS.get(method or "", ()))


def _unused_field_problems(params: MethodParams) -> list[Problem]:
    """A problem for every value that was set and that the method does not read."""
    fields = type(params).model_fields
    given = [name for name in fields if name in unused_fields(params.method)]
    return [
        Problem(code="method.unread", field=name) for name in given if getattr(params, name) != fields[name].default
    ]


def _check_teacher(params: MethodParams, student_ref: str, world: World) -> list[Problem]:
    student, teacher = world.describe(student_ref), world.describe(params.teacher) if params.teacher else None
    if not params.teacher or student is None or teacher is None:
        return [Problem(code="method.teacher_missing", field="teacher")]
    if params.teacher == student_ref:
        return [Problem(code="method.itself", field="teacher")]
    problems = [Problem(code="method.no_weight", field="kl_weight")] if params.kl_weight == 0 else []
    folders = _folder(student), _folder(teacher)
    wrong = (
        tokenizer_problem(params.method, folders[0], folders[1], params.teacher) if folders[0] and folders[1] else None
    )
    if wrong is None and params.method == "hidden_states":
        wrong = kept_layers_problem(student.facts, teacher.facts, params.teacher)
    return problems + ([wrong.model_copy(update={"field": wrong.field or "teacher"})] if wrong else [])


def _folder(known: ArtifactInfo) -> Path | None:
    """Where a model lies; None while it is still to be made."""
    return Path(known.path) if known.path and not known.pending else None
