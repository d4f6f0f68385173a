"""Text from token ids, stops and shared beginnings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template, gold_answer
from backend.inference.detokenizer import stream_text
from backend.inference.engine import common_prefix
from backend.inference.protocol import answer_tokens


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    """One token per byte, so that characters arrive in halves."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<end>"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<end>"}), "utf-8")
    return Encoder(tmp_path)


@pytest.mark.parametrize("text", ["plain", "¿niño?", "a😀b", "日本", " two  spaces", ""])
def test_pieces_are_whole_characters_and_make_the_text(encoder: Encoder, text: str) -> None:
    found = list(stream_text(encoder, encoder.ids(text)))
    assert "".join(found) == text
    assert not any("\ufffd" in piece for piece in found)
    assert len(found) == len(text)


def test_an_unfinished_character_is_shown_at_the_end(encoder: Encoder) -> None:
    assert "".join(stream_text(encoder, encoder.ids("a😀")[:-1])) == "a\ufffd"


def test_stops_come_from_tokenizer_and_both_configs(encoder: Encoder) -> None:
    (encoder.folder / "generation_config.json").write_text('{"eos_token_id": [7, 8]}')
    (encoder.folder / "genai_config.json").write_text('{"model": {"eos_token_id": 9}}')
    assert encoder.stops == {256, 7, 8, 9}


@pytest.mark.parametrize(
    ("prompts", "shared"),
    [([], 0), ([[1, 2, 3]], 2), ([[1, 2, 3], [1, 2, 4]], 2), ([[1, 2], [1, 2, 3]], 1), ([[1], [2]], 0)],
)
def test_what_prompts_share_leaves_each_one_id(prompts: list[list[int]], shared: int) -> None:
    assert common_prefix(prompts) == shared


def test_room_for_an_answer() -> None:
    labels = Template(answer="label", labels=["a", "abc"])
    assert answer_tokens(labels, ["ignored text"], len) == 5
    assert answer_tokens(Template(), ["x" * 100, "y"], len) == 125
    assert answer_tokens(Template(), [], len) == 256


def test_a_persons_answer_is_the_truth() -> None:
    assert gold_answer(Row(id="1", input="x", output="teacher", gold="person")) == "person"
    assert gold_answer(Row(id="1", input="x", output="person")) == "person"
