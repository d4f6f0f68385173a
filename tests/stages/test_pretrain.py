"""Continued pre-training: what it reads, what it says before it runs, what it costs, what it leaves."""

from __future__ import annotations

from math import exp, log
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row, Template, write_split, write_template
from backend.data.encoding import IGNORE_INDEX, pack
from backend.jobs.context import MemoryContext
from backend.stages import finetune
from backend.stages.pretrain import STAGE, PretrainParams
from backend.training.texts import LEAST_BLOCKS, load_texts, no_gain
from tests.helpers import blocking, dataset_view, model_view, tiny_dataset, view
from tests.stages.test_finetune import World, made, smol_world

TEXT: dict[str, Any] = {"rows": {"train": 0, "pool": 400}, "prompt_chars": 1800.0, "answer_chars": 0.0}
COLOURS = ("red", "green", "blue")


def asked(**more: Any) -> PretrainParams:
    return PretrainParams.model_validate({"model": "m", "data": "d", **more})


def told(params: PretrainParams, **facts: Any) -> list[tuple[str, str | None, bool]]:
    return [(each.code, each.field, each.blocking) for each in STAGE.check(params, smol_world(**TEXT | facts))]


def test_blocks_are_full_and_hold_every_text_with_its_end() -> None:
    texts = [[1, 2, 3, 9], [4, 9], [5, 6, 7, 8, 5, 9], [7, 9]]
    found, left = pack(texts, 5)
    assert [item["input_ids"] for item in found.items] == [[1, 2, 3, 9, 4], [9, 5, 6, 7, 8]] and left == 4
    assert all(item["labels"] == [IGNORE_INDEX, *item["input_ids"][1:]] for item in found.items)
    assert found.packed and pack([[1, 2]], 4) == (pack([], 4)[0], 2)


def test_what_is_no_text_or_too_little_is_said_before_anything_runs() -> None:
    assert told(asked()) == []
    answered = {"rows": {"train": 400, "pool": 0}, "answer_chars": 16.0}
    assert told(asked(), **answered) == [("text.none", "data", True)]
    assert told(asked(), rows={"train": 40, "pool": 400}, answer_chars=16.0) == [("text.answered", "data", False)]
    assert told(asked(), rows={"pool": 3}) == [("text.few_expected", "max_length", False)]
    assert told(asked(max_length=9000)) == [("train.context", "max_length", True)]
    assert told(asked(best_by="accuracy", keep="best")) == [("train.unread", "best_by", True)]
    assert told(asked(adapter=False, rank=8)) == [("train.unread", "rank", True)]
    assert told(asked(patience=2, keep="best")) == [], "held-out blocks tell the best weights"


def test_the_quote_counts_every_token() -> None:
    world = smol_world(**TEXT)
    once, full = STAGE.quote(asked(), world), STAGE.quote(asked(adapter=False), world)
    twice = STAGE.quote(asked(), smol_world(**TEXT | {"rows": {"pool": 800}}))
    assert 1.8 * once.seconds < twice.seconds < 2.1 * once.seconds
    halves = STAGE.quote(asked(max_length=256), world)
    assert halves.seconds == pytest.approx(once.seconds, rel=0.1), "the same tokens in more blocks"
    assert halves.memory_bytes < once.memory_bytes < full.memory_bytes and once.disk_bytes > 500_000_000
    assert once.forecast["format"] == "torch" and "base" not in once.forecast and STAGE.makes(asked()) is Kind.MODEL
    assert once.learning and full.learning and once.learning.learning_rate == 10 * full.learning.learning_rate
    world.card_bytes = 24 * 10**9
    assert STAGE.quote(asked(), world).vram_bytes > 0


def text_data(folder: Path, answered: int = 0) -> ArtifactView:
    """Unlabelled texts in which the colours follow one another, and some rows with an answer."""
    folder.mkdir()
    write_template(folder, Template(task="text"))
    lines = [" ".join(f"{COLOURS[(at + n) % 3]} item" for at in range(12)) + "." for n in range(81)]
    write_split(folder, "pool", [Row(id=f"p{at}", input=line) for at, line in enumerate(lines)])
    write_split(folder, "train", [Row(id=f"t{at}", input="red", output="red") for at in range(answered)])
    return dataset_view(folder)


def lines_of(ctx: MemoryContext) -> str:
    return "\n".join(event["text"] for event in ctx.events if event["event"] == "log")


@pytest.mark.ml
def test_texts_are_read_without_template_and_some_are_held_out(tiny_model: Path, tmp_path: Path) -> None:
    data, ctx, encoder = text_data(tmp_path / "d", answered=3), MemoryContext(tmp_path / "job"), Encoder(tiny_model)
    end = encoder.ids(encoder.special("eos"))
    assert encoder.document_ids("red item") == encoder.ids("red item") + end
    typed = encoder.document_ids(f"red {encoder.end} item")
    assert typed[-1:] == end and typed.count(end[0]) == 1, "a control token that somebody typed is text"
    train, held_out = load_texts(asked(max_length=32), tiny_model, data, ctx)
    blocks = [*train.items, *held_out.items]
    assert {len(item["input_ids"]) for item in blocks} == {32} and len(held_out.items) == round(0.05 * len(blocks))
    laid = [each for row in DataFolder(data.path).rows("pool") for each in encoder.document_ids(row.input)]
    assert [each for item in blocks for each in item["input_ids"]] == laid[: 32 * len(blocks)]
    said = lines_of(ctx)
    assert "3 rows have an answer" in said and "held out" in said and "fill no block" in said
    with pytest.raises(StudioError, match=f"fewer than {LEAST_BLOCKS} blocks of 512"):
        load_texts(asked(), tiny_model, data, ctx)
    write_split(data.path, "validation", [Row(id="v", input="blue thing " * 40)])
    more, own = load_texts(asked(max_length=32), tiny_model, data, ctx)
    assert len(more.items) == len(blocks) and own.items[0]["input_ids"] == encoder.ids("blue thing " * 40)[:32]


@pytest.mark.ml
def test_it_learns_goes_on_and_leaves_a_model_to_fine_tune(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from backend.ml.inference.load import load_model
    from backend.results.evaluations import lineage

    inputs = [model_view(tiny_model), text_data(tmp_path / "d")]
    given = {"model": inputs[0].id, "data": inputs[1].id, "max_length": 32, "rank": 4, "learning_rate": 0.02}
    params = STAGE.parse(given | {"epochs": 3, "evaluate_steps": 4, "checkpoints_kept": 2})
    assert blocking(STAGE.check(params, World(*inputs))) == []
    whole = MemoryContext(tmp_path / "whole", inputs)
    result = STAGE.run(params, whole)
    curve = curves(whole)
    assert curve["loss"][-1][1] < curve["loss"][0][1] - 0.2 and curve["eval_loss"][-1][1] < curve["eval_loss"][0][1]
    loss = result.metrics["eval_loss"]
    assert loss < result.metrics["eval_loss_before"] and [each.code for each in no_gain(2.0, 1.9)] == ["text.no_gain"]
    assert result.metrics["eval_perplexity"] == pytest.approx(exp(loss)) and not result.findings
    path, manifest = made(whole)
    model = load_model(view(path, Kind.MODEL, "x", **manifest["facts"]), whole.input).eval()
    _, held_out = load_texts(params, tiny_model, inputs[1], whole)
    ids = torch.tensor([item["input_ids"] for item in held_out.items])
    with torch.inference_mode():
        assert float(model(input_ids=ids, labels=ids).loss) == pytest.approx(loss, rel=0.02), "every token, merged"
        untrained = load_model(inputs[0], whole.input).eval()(input_ids=ids, labels=ids).loss
    assert result.metrics["eval_loss_before"] == pytest.approx(float(untrained), rel=0.01)
    written = len(Encoder(path).text(ids.flatten().tolist()).encode())
    assert result.metrics["eval_bits_per_byte"] == pytest.approx(loss / log(2) * ids.numel() / written)
    made_model = view(path, Kind.MODEL, "x", parents=manifest["parents"], **manifest["facts"])
    assert [each.how for each in lineage(made_model, {each.id: each for each in inputs})] == ["imported", "pretrained"]
    labelled = dataset_view(tiny_dataset(tmp_path / "labelled"), "labelled")
    tuned = finetune.FinetuneParams(model="x", data="labelled")
    assert blocking(finetune.STAGE.check(tuned, World(made_model, labelled))) == [], "the next stage takes it"
    broken = MemoryContext(tmp_path / "broken", inputs)
    progress = broken.progress

    def stop_at_6(done: float, total: float, note: str = "") -> None:
        progress(done, total, note)
        broken.stop = total > 1 and done >= 6

    monkeypatch.setattr(broken, "progress", stop_at_6)
    with pytest.raises(Cancelled):
        STAGE.run(params, broken)
    monkeypatch.undo()
    broken.stop = False
    STAGE.run(params, broken)
    assert "Resuming from step" in lines_of(broken)
    for name, points in curves(broken).items():
        assert dict(points) == pytest.approx(dict(curve[name]), rel=1e-3), name


def curves(ctx: MemoryContext) -> dict[str, list[tuple[float, float]]]:
    points = [event for event in ctx.events if event["event"] == "metric"]
    return {
        name: [(each["step"], each["value"]) for each in points if each["name"] == name]
        for name in ("loss", "eval_loss")
    }
