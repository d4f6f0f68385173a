"""A capture as checks, quotes and forms see it: what one position takes on disk, and what the capture is bound to.

A capture is a folder with `capture.json` (written last), `shard-00000.safetensors` and so on. No torch here.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.artifacts import sha256, write_json
from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels
from backend.core.refs import CaptureRef
from backend.core.schemas import ArtifactView
from backend.core.stage import Params, World
from backend.data.chat_template import Encoder
from backend.models import costs

INDEX = "capture.json"
ROW_BYTES = 12
"""Fingerprint and number of positions of a row."""
_MIN_TOKENS_16_BIT = 50
"""As many tokens with 16-bit values are enough; where fewer fit, 8-bit values make room for a third more."""


class LogitParams(Params):
    """What `distill` asks when it learns from a capture, and what it asks alike with a teacher in memory."""

    capture: CaptureRef | None = Field(
        default=None,
        title="Capture",
        description="The teacher's stored probabilities for these examples; the teacher is not needed again.",
    )
    kl_weight: float = Field(
        default=0.5,
        ge=0,
        le=1,
        title="Teacher weight",
        description="Share of the loss from the distance to the teacher; the rest is the answer.",
    )
    temperature: float = Field(
        default=1.0,
        gt=0,
        le=20,
        title="Temperature",
        description="Higher values show more of the teacher's second choices. With a capture: one of its temperatures.",
    )
    divergence: Annotated[
        Literal["forward_kl", "reverse_kl", "jsd"],
        Labels({"forward_kl": "Forward KL", "reverse_kl": "Reverse KL", "jsd": "Symmetric (JSD)"}),
    ] = Field(
        default="forward_kl",
        title="Divergence",
        description="Distance to the teacher. Forward covers all its answers, reverse focuses on its best.",
    )


@dataclass(frozen=True)
class Layout:
    """How a position is stored: `k` tokens, each an id of `id_bytes` and a value of `value_bits` (its logit below the
    likeliest one's), and for every temperature the log-normaliser and the logarithm of the mass of all other tokens."""

    k: int
    id_bytes: int
    value_bits: int
    temperatures: tuple[float, ...]

    @property
    def token_bytes(self) -> float:
        """Bytes of one position."""
        return self.k * (self.id_bytes + self.value_bits / 8) + _fixed(self.value_bits, len(self.temperatures))

    @property
    def facts(self) -> dict[str, Any]:
        return {**asdict(self), "temperatures": list(self.temperatures)}

    @classmethod
    def of(cls, facts: dict[str, Any]) -> Layout:
        """From the facts of a capture."""
        given = {name: facts[name] for name in cls.__dataclass_fields__}
        return cls(**{**given, "temperatures": tuple(given["temperatures"])})


def layout_for(budget: float, vocabulary: int, temperatures: Sequence[float], answer_tokens: float) -> Layout:
    """As many of the likeliest tokens as `budget` bytes a position hold, where rows have `answer_tokens` positions."""
    width = id_bytes(vocabulary)
    temperatures = tuple(dict.fromkeys(temperatures))

    def fits(bits: int) -> int:
        free = budget - ROW_BYTES / answer_tokens - _fixed(bits, len(temperatures))
        return min(vocabulary, max(2, int(free / (width + bits / 8))))

    bits = 16 if fits(16) >= min(_MIN_TOKENS_16_BIT, vocabulary) else 8
    return Layout(fits(bits), width, bits, temperatures)


def full_layout(vocabulary: int, temperatures: Sequence[float]) -> Layout:
    """Every token, in 32 bits."""
    return Layout(vocabulary, id_bytes(vocabulary), 32, tuple(dict.fromkeys(temperatures)))


def id_bytes(vocabulary: int) -> int:
    """The fewest bytes that hold every id of a vocabulary: 2, 3 or 4."""
    return next(width for width in (2, 3, 4) if vocabulary <= 256**width)


def fingerprint(ids: Sequence[int], answer_start: int) -> int:
    """64 bits that tell a row by its tokens: all ids and where the answer begins."""
    content = array("I", [answer_start, *ids]).tobytes()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little", signed=True)


def data_hashes(folder: Path) -> dict[str, str]:
    """Of the rows that are trained on, and of the template that they are asked with."""
    return {"data": _file_hash(folder / "train.jsonl"), "template": _file_hash(folder / "template.json")}


def tokenizer_hashes(folder: Path) -> dict[str, str]:
    """Of the tokenizer of a model folder, and of its chat template."""
    return {"tokenizer": _file_hash(folder / "tokenizer.json"), "chat_template": _chat_hash(folder)}


def write_index(folder: Path) -> None:
    """List the shards of a finished capture with their sizes."""
    write_json(folder / INDEX, {file.name: file.stat().st_size for file in sorted(folder.glob("shard-*.safetensors"))})


def check_capture(params: LogitParams, student_ref: str, data_ref: str, world: World) -> list[Problem]:
    """What can be seen before a student learns from a capture; the references are known to be good."""
    known = world.describe(params.capture) if params.capture else None
    student, data = world.describe(student_ref), world.describe(data_ref)
    if known is None or student is None or data is None:
        return []
    temperatures = known.facts["temperatures"]
    problems = []
    if params.temperature not in temperatures:
        args = {"temperature": f"{params.temperature:g}", "known": ", ".join(f"{each:g}" for each in temperatures)}
        problems.append(Problem(code="capture.temperature", args=args, field="temperature"))
    if known.pending:
        return problems + _forecast_problems(known.facts["data"], data_ref, world)
    if known.path:
        problems += _truncated_shards(Path(known.path), str(params.capture))
    if data.path and not data.pending:
        problems += data_problems(known.facts, Path(data.path), data_ref)
    if student.path and not student.pending:
        problems += _chat_problems(known.facts, Path(student.path), student_ref)
    return problems


def _forecast_problems(source_ref: str, data_ref: str, world: World) -> list[Problem]:
    """Whether a capture that is still to be made, from `source_ref`, will be of other rows than the student learns from:
    those of an earlier step are the same only as themselves, those that are there are compared."""
    if source_ref == data_ref:
        return []
    if source_ref.startswith("${") or data_ref.startswith("${"):
        return [Problem(code="capture.data", args={"data": data_ref}, field="capture")]
    source, data = world.describe(source_ref), world.describe(data_ref)
    if source is None or data is None or not source.path or not data.path:
        return []
    return data_problems({"hashes": data_hashes(Path(source.path))}, Path(data.path), data_ref)


def data_problems(facts: dict[str, Any], data: Path, name: str) -> list[Problem]:
    """Whether rows and template of a dataset folder are those of the capture with these facts."""
    now = data_hashes(data)
    wrong = [part for part in ("data", "template") if now[part] != facts["hashes"][part]]
    return [Problem(code=f"capture.{part}", args={"data": name}, field="capture") for part in wrong]


def require_matching_inputs(
    capture: ArtifactView, student: ArtifactView, data: ArtifactView, teacher: ArtifactView
) -> None:
    """Raise StudioError when a capture was made with other rows, another template or another teacher."""
    problems = data_problems(capture.facts, data.path, data.name)
    problems += _chat_problems(capture.facts, student.path, student.name)
    if teacher.digest != capture.facts["hashes"]["teacher"][0]:
        problems.append(Problem(code="capture.teacher", field="capture"))
    if problems:
        raise StudioError.of(problems)


def capture_training_bytes(facts: dict[str, Any], positions: float, vocabulary: int) -> int:
    """Memory that learning from a capture adds: the capture, and five tables of probabilities of a batch's positions."""
    return round(int(facts["bytes"]) + positions * vocabulary * 4 * 5)


def capture_bytes(layout: Layout, data: dict[str, Any]) -> int:
    """Size of a capture of all training rows of a dataset, from its facts or their forecast."""
    rows, positions = int(data["rows"].get("train", 0)), costs.answer_tokens(data)
    return round(rows * (positions * layout.token_bytes + ROW_BYTES))


def _chat_problems(facts: dict[str, Any], student: Path, name: str) -> list[Problem]:
    same = _chat_hash(student) == facts["hashes"]["chat_template"]
    return [] if same else [Problem(code="capture.chat_template", args={"student": name}, field="capture")]


def _truncated_shards(folder: Path, name: str) -> list[Problem]:
    index = folder / INDEX
    if not index.is_file():
        return [Problem(code="core.artifact_damaged", args={"ref": name, "file": INDEX}, field="capture")]
    for shard, want in json.loads(index.read_text("utf-8")).items():
        file = folder / shard
        have = file.stat().st_size if file.is_file() else 0
        if have != want:
            args = {"file": shard, "capture": name, "have": have, "want": want}
            return [Problem(code="capture.truncated", args=args, field="capture")]
    return []


def _fixed(value_bits: int, temperatures: int) -> int:
    """Bytes of a position beside its tokens: normaliser (4) and tail (2) per temperature; the reach of 8-bit values."""
    return 6 * temperatures + (2 if value_bits == 8 else 0)


def _chat_hash(folder: Path) -> str:
    return hashlib.sha256(Encoder(folder).template_source().encode()).hexdigest()


def _file_hash(file: Path) -> str:
    stat = file.stat()
    return _hash(file, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _hash(file: Path, _changed: int, _size: int) -> str:
    return sha256(file)
