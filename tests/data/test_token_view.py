"""What a model reads of a row, and how long rows are for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.data import token_view as tokens
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.encoding import encode_rows
from tests.data.test_encoding import TEMPLATE, conversation
from tests.data.tokenizers import STRIPS, encoder


def dataset(folder: Path, rows: list[Row], template: Template = TEMPLATE) -> Path:
    folder.mkdir()
    write_template(folder, template)
    write_split(folder, "train", rows)
    return folder


def test_pieces_are_the_text_and_the_loss_is_that_of_training(tmp_path: Path) -> None:
    enc = encoder(tmp_path / "m")
    row = Row(id="1", input="¿León <|end|>? 😀", output="Sí 👍")
    data = dataset(tmp_path / "d", [row])
    seen = tokens.token_view(data, "1", "train", tmp_path / "m")
    text = "".join(piece.text for piece in seen.pieces)
    assert text == enc.render(TEMPLATE.prompt(row)) + "Sí 👍<|end|>"
    (item,) = encode_rows(enc, TEMPLATE, [row], 1000).items
    assert [piece.id for piece in seen.pieces] == item["input_ids"]
    assert "".join(piece.text for piece in seen.pieces if piece.loss) == "Sí 👍<|end|>"
    assert [piece.text for piece in seen.pieces if piece.kind == "control"] == ["<|start|>", "<|end|>"] * 2 + [
        "<|start|>",
        "<|end|>",
    ]
    assert (seen.prompt_tokens + seen.answer_tokens, seen.answers, seen.merged) == (seen.tokens, 1, False)


@pytest.mark.parametrize("asked", ["c0", "c2"])
def test_a_conversation_shows_all_answers_that_are_learned_with_the_row(tmp_path: Path, asked: str) -> None:
    encoder(tmp_path / "m")
    data = dataset(tmp_path / "d", [*conversation(), *conversation("e")])
    seen = tokens.token_view(data, asked, "train", tmp_path / "m")
    assert "".join(piece.text for piece in seen.pieces if piece.loss) == "Hi<|end|>No<|end|>Yes!<|end|>"
    assert (seen.answers, seen.merged) == (3, True)


def test_a_turn_that_training_keeps_apart_is_shown_alone(tmp_path: Path) -> None:
    encoder(tmp_path / "m", STRIPS)
    rows = conversation(turns=[("Hello", "Hm</think>Hi"), ("Rain?", "No")])
    seen = tokens.token_view(dataset(tmp_path / "d", rows), "c0", "train", tmp_path / "m")
    assert "".join(piece.text for piece in seen.pieces if piece.loss) == "Hm</think>Hi<|end|>"
    assert not seen.merged


def test_an_unknown_row_is_named(tmp_path: Path) -> None:
    encoder(tmp_path / "m")
    with pytest.raises(StudioError) as unknown:
        tokens.token_view(dataset(tmp_path / "d", conversation()), "nope", "train", tmp_path / "m")
    assert unknown.value.code == "tokens.no_row" and "nope" in unknown.value.text()


def test_lengths_tell_what_a_maximum_truncates_and_drops(tmp_path: Path) -> None:
    enc = encoder(tmp_path / "m")
    rows = [Row(id=str(n), input="x" * n, output="y") for n in (1, 10, 100)]
    rows += [Row(id="long", input="x", output="y" * 200), Row(id="pool", input="x")]
    data = dataset(tmp_path / "d", rows)
    limit = len(enc.prompt_ids(TEMPLATE, rows[1])) + 2
    found = tokens.token_lengths(data, tmp_path / "m", "train", limit)
    assert (found.rows, found.measured, found.sampled) == (5, 5, False)
    assert (found.truncated, found.dropped) == (1, 1)
    kept = encode_rows(enc, TEMPLATE, rows, limit)
    assert (kept.truncated, kept.too_long) == (found.truncated, found.dropped)
    assert sum(found.total.counts) == 5 and len(found.total.edges) == len(found.total.counts) + 1
    assert found.total.edges[-1] > found.total.longest == len(enc.prompt_ids(TEMPLATE, rows[3])) + 201
    assert found.answer.percentiles == {50: 2, 90: 201, 95: 201, 99: 201}


def test_many_rows_are_sampled_evenly_and_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder(tmp_path / "m")
    monkeypatch.setattr(tokens, "SAMPLE_ROWS", 10)
    data = dataset(tmp_path / "d", [Row(id=str(n), input="x" * n, output="y") for n in range(35)])
    found = tokens.token_lengths(data, tmp_path / "m", "train", 512)
    assert (found.rows, found.measured, found.sampled) == (35, 9, True)


def test_an_empty_split_has_no_lengths(tmp_path: Path) -> None:
    encoder(tmp_path / "m")
    found = tokens.token_lengths(dataset(tmp_path / "d", []), tmp_path / "m", "test", 512)
    assert (found.rows, found.total.longest, found.total.percentiles) == (0, 0, {})
