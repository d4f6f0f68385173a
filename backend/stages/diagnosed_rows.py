"""What a diagnosis measures of the rows of a training: with the gates, the quick baseline and the trained model itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from backend.checks.diagnosis import DataFigures, TemplateFigures
from backend.core.schemas import ArtifactView
from backend.core.stage import Context
from backend.data.baseline import baseline_report, pairs_of
from backend.data.baseline_scores import METHODS
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row
from backend.data.encoding import IGNORE_INDEX, encode_rows
from backend.data.gates.check import Checking, Settings
from backend.data.token_view import token_lengths
from backend.inference.protocol import Sampling, max_answer_tokens

COMPARED, ASKED = 50, 16
"""Rows that are compared token by token, and rows that the trained model answers."""
_GATES = ("contradictions", "empty", "duplicates")


def data_figures(folder: Path, tick: Callable[[int], None]) -> DataFigures:
    """Of all rows of a dataset; `tick` may raise Cancelled."""
    data = DataFolder(folder)
    checking = Checking(folder, Settings(), tick)
    gates = [each for each in checking.gates() if each.name in _GATES]
    labels = data.template.answer == "label"
    counted = [each.finding.count if each else 0 for each in checking.run(gates)]
    found = {_figure(each.name, labels): count for each, count in zip(gates, counted, strict=True)}
    train, held_out = pairs_of(data, "train"), pairs_of(data, "validation")
    counts = Counter(answer for _text, answer in train) if labels else Counter()
    shares = [count / len(train) for count in counts.values()]
    commonest, rarest = max(shares, default=0.0), min(shares, default=0.0)
    if not train or not held_out:
        return DataFigures(len(checking.rows), len(set(train)), found, commonest, rarest)
    report = baseline_report(train, held_out, data.template.answer, pairs_of(data, "test"))
    score, majority = report.score(METHODS[report.answer]), report.score("majority")
    assert score and majority
    return DataFigures(
        rows=len(checking.rows),
        distinct=report.distinct,
        found=found,
        commonest=commonest,
        rarest=rarest,
        baseline=score.accuracy if labels else score.token_f1,
        majority=majority.accuracy if labels else majority.token_f1,
        most=majority.high,
        no_signal=labels and score.accuracy <= majority.high,
    )


def _figure(name: str, labels: bool) -> str:
    """Several answers to one input are no fault of free text."""
    return "several_answers" if name == "contradictions" and not labels else name


def template_figures(
    view: ArtifactView, base: ArtifactView, data: ArtifactView, max_length: int, ctx: Context
) -> TemplateFigures:
    """Of the trained model `view` of `base`: the first rows as training read them against what inference builds, the lengths of
    all, and the model's own answers to validation rows."""
    folder = DataFolder(data.path)
    rows = list(islice((row for row in folder.rows("train") if row.output is not None), COMPARED))
    taught, asks, template = Encoder(base.path), Encoder(view.path), DataFolder(view.path).template
    differ = unended = compared = 0
    for row in rows:
        for item in encode_rows(taught, folder.template, [row], max_length).items:
            ids = [*asks.prompt_ids(template, row), *asks.row_answer_ids(template, row)]
            compared += 1
            differ += ids[-len(item["input_ids"]) :] != item["input_ids"]
            unended += next(label for label in reversed(item["labels"]) if label != IGNORE_INDEX) not in asks.stops
    ctx.raise_if_cancelled()
    lengths = token_lengths(data.path, base.path, "train", max_length)
    held_out = list(islice(folder.rows("validation"), ASKED)) or rows[:ASKED]
    return TemplateFigures(
        rows=compared,
        differ=differ,
        unended=unended,
        train=lengths.measured,
        dropped=lengths.dropped,
        truncated=lengths.truncated,
        max_length=max_length,
        **_answered(view, folder, held_out, ctx),
    )


def _answered(view: ArtifactView, data: DataFolder, rows: list[Row], ctx: Context) -> dict[str, int]:
    """How many rows the model answered, and how often it ended its answer; rows beyond its context are left out."""
    from backend.ml.inference.open import open_engine

    engine = open_engine(view, ctx.input)
    limit = max_answer_tokens(data, engine.encoder)
    prompts = [engine.encode(DataFolder(view.path).template.prompt(row)) for row in rows]
    prompts = [prompt for prompt in prompts if len(prompt) + limit <= engine.context]
    sampling = Sampling(max_new_tokens=limit)
    ended = sum(not off for *_, off in engine.rated_answers(prompts, sampling, ctx.raise_if_cancelled))
    engine.close()
    return {"asked": len(prompts), "ended": ended}
