"""The rows of a dataset as the examples of preference tuning: pairs of answers, or answers that are good or not. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView
from backend.core.stage import ArtifactInfo, Context
from backend.data.chat_template import Encoder
from backend.data.dataset import REJECTED, DataFolder, Row
from backend.data.encoding import EncodedExamples, encode_pairs, encode_unpaired
from backend.data.facts import complete_facts
from backend.data.split_keys import context_text, digest

PreferenceMethod = Literal["dpo", "kto"]
_SHARES = 10_000


class RejectedRows(NamedTuple):
    """Rows that hold nothing but a rejected answer. Of each prompt the answers are on one side: where its rows are, else by its
    fingerprint. `tested`: how many are left out, as their prompt is a test row's."""

    train: list[Row]
    validation: list[Row]
    tested: int


def load_preferences(
    method: PreferenceMethod, max_length: int, evaluate_rows: int, model: Path, data: ArtifactView, ctx: Context
) -> tuple[EncodedExamples, EncodedExamples]:
    """Train and validation rows as token ids: for dpo pairs, for kto every answer with `desirable`. Raises StudioError when
    nothing is left to prefer, or the chat template has no place for tools."""
    folder, encoder = DataFolder(data.path), Encoder(model)
    train: Iterable[Row] = folder.rows("train")
    held_out: Iterable[Row] = folder.rows("validation")
    encode = encode_pairs
    if method == "kto":
        encode, unpaired = encode_unpaired, rejected_rows(folder)
        if unpaired.tested:
            ctx.log(f"{unpaired.tested} rejected answers were left out: their prompts are test rows.", "warning")
        first = list(islice(held_out, evaluate_rows))
        train, held_out = chain(train, unpaired.train), _mixed(first, unpaired.validation, evaluate_rows)
    else:
        held_out = (row for row in held_out if row.rejected is not None)
    found = encode(encoder, folder.template, train, max_length)
    evaluated = encode(encoder, folder.template, islice(held_out, evaluate_rows), max_length)
    _log(found, max_length, ctx)
    if wanting := _wanting(method, found, data.name, max_length):
        raise StudioError.of([wanting])
    good = sum(item["desirable"] for item in found.items) if method == "kto" else 0  # type: ignore[misc]
    counts = f"{good} good answers and {len(found.items) - good} rejected ones" if good else f"{len(found.items)} pairs"
    ctx.log(f"{counts} to train on, {len(evaluated.items)} to validate.")
    return found, evaluated


def rejected_rows(folder: DataFolder) -> RejectedRows:
    """Those of a dataset, divided."""
    rejected = list(folder.rows(REJECTED))
    if not rejected:
        return RejectedRows([], [], 0)
    asked: dict[int, str] = {}
    counts = {}
    for split in ("train", "validation", "test"):
        prompts = [_asked(row) for row in folder.rows(split)]
        counts[split] = len(prompts)
        asked |= dict.fromkeys(prompts, split)
    share = counts["validation"] / max(1, counts["train"] + counts["validation"])
    found: dict[str, list[Row]] = {"train": [], "validation": [], "test": []}
    for row in rejected:
        prompt = _asked(row)
        side = "validation" if prompt % _SHARES < share * _SHARES else "train"
        found[asked.get(prompt, side)].append(row)
    return RejectedRows(found["train"], found["validation"], len(found["test"]))


def check_preferences(method: PreferenceMethod, data: ArtifactInfo, ref: str) -> list[Problem]:
    """Whether a dataset has what the method learns from, as far as its facts tell."""
    known = complete_facts(data.facts, data.path)
    if "pairs" not in known or "rejected_rows" not in known:  # still to be made, from one of an earlier version
        return []
    if known["pairs"] or (method == "kto" and known["rejected_rows"]):
        return []
    code = "preference.try_kto" if known["rejected_rows"] else "preference.none"
    return [Problem(code=code, args={"data": ref}, field="method" if known["rejected_rows"] else "data")]


def preference_facts(method: PreferenceMethod, data: ArtifactInfo) -> dict[str, Any]:
    """The facts of a dataset as the method reads it: a row is a pair of answers for dpo, one answer for kto; its characters are
    the mean of both kinds."""
    facts = complete_facts(data.facts, data.path)
    pairs, alone = int(facts.get("pairs", 0)), int(facts.get("rejected_rows", 0)) if method == "kto" else 0
    chosen = int(facts["rows"].get("train", 0)) if method == "kto" else pairs
    rejected = pairs + alone
    usual = float(facts["answer_chars"])
    mean = (chosen * usual + rejected * float(facts.get("rejected_chars") or usual)) / max(1, chosen + rejected)
    return {
        **facts,
        "rows": {**facts["rows"], "train": chosen + rejected if method == "kto" else pairs},
        "answer_chars": mean,
    }


def _mixed(answered: list[Row], rejected: list[Row], count: int) -> list[Row]:
    """`count` rows, up to half of them rejected; none where none is answered."""
    return [*rejected[: count // 2], *answered][:count] if answered else []


def _asked(row: Row) -> int:
    """A fingerprint of the prompt, as that which keeps rows on one side of a split."""
    return digest(f"{context_text(row.context)}\n{row.input}" if row.context else row.input)


def _wanting(method: PreferenceMethod, found: EncodedExamples, data: str, max_length: int) -> Problem | None:
    """What is missing among the examples."""
    if not found.items and found.too_long:
        args = {"rows": found.too_long, "data": data, "max_length": max_length}
        return Problem(code="train.too_long", args=args, field="max_length")
    if not found.items:
        return Problem(code="preference.none", args={"data": data}, field="data")
    if method == "kto" and len({item["desirable"] for item in found.items}) < 2:
        return Problem(code="preference.one_sided", args={"data": data}, field="data")
    return None


def _log(found: EncodedExamples, max_length: int, ctx: Context) -> None:
    if found.truncated:
        ctx.log(f"{found.truncated} prompts were longer than {max_length} tokens and lost their beginning.", "warning")
    if found.too_long:
        ctx.log(f"{found.too_long} were left out: an answer alone is longer than {max_length} tokens.", "warning")
    if found.equal:
        ctx.log(f"{found.equal} pairs were left out: both answers are the same.", "warning")
