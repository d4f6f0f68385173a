"""What of an answer may be shown when: whole characters, no stop strings, probabilities of what was shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from backend.data.chat_template import Encoder
from backend.inference.detokenizer import Detokenizer, TokenBytes

LOGITS = np.zeros(256, dtype=np.float32)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """A token for each byte."""
    folder = tmp_path_factory.mktemp("bytes")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({char: at for at, char in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    return Encoder(folder)


def shown(encoder: Encoder, text: str, stops: list[str], top: int | None = None) -> tuple[list[str], list[str], bool]:
    """Pieces, tokens of the entries, and whether a stop string ended it."""
    detokenizer = Detokenizer(encoder, stops, top)
    pieces, entries = [], []
    for token in encoder.ids(text):
        detokenizer.push(token, LOGITS)
        if detokenizer.stopped:
            break
        piece, told = detokenizer.take()
        pieces.append(piece)
        entries += told
    piece, told = detokenizer.finish()
    return [*pieces, piece], [each["token"] for each in entries + told], detokenizer.stopped


def test_a_character_comes_when_all_its_bytes_are_there(encoder: Encoder) -> None:
    pieces, _, _ = shown(encoder, "añ😀b", [])
    assert [piece for piece in pieces if piece] == ["a", "ñ", "😀", "b"]
    cut = Detokenizer(encoder)
    for token in encoder.ids("a😀")[:3]:
        cut.push(token, LOGITS)
    assert cut.take()[0] == "a" and "\ufffd" in cut.finish()[0]


def test_nothing_of_a_stop_string_is_shown(encoder: Encoder) -> None:
    pieces, entries, stopped = shown(encoder, "one STOP two", ["STOP", "xyz"], top=0)
    assert stopped and "".join(pieces) == "one "
    assert "".join(entries) == "one "
    pieces, entries, stopped = shown(encoder, "one STO", ["STOP"], top=0)
    assert not stopped and "".join(pieces) == "one STO" == "".join(entries)
    assert "S" not in "".join(pieces[:-1]), "what may begin a stop string waits"
    assert "".join(shown(encoder, "aab", ["ab"])[0]) == "a"


def test_the_first_of_two_stop_strings_counts(encoder: Encoder) -> None:
    assert "".join(shown(encoder, "a\n\nb. c", ["c", "\n\n", "."])[0]) == "a"


def test_entries_carry_bytes_of_half_characters(encoder: Encoder) -> None:
    detokenizer = Detokenizer(encoder, [], 3)
    for token in encoder.ids("é "):
        detokenizer.push(token, LOGITS)
    text, entries = detokenizer.finish()
    assert text == "é " and [each["bytes"] for each in entries] == [[0xC3], [0xA9], [0x20]]
    assert entries[2]["token"] == " " and len(entries[2]["top_logprobs"]) == 3
    assert entries[0]["logprob"] == pytest.approx(-np.log(256))


def test_bytes_of_sentencepiece_tokens(tmp_path: Path) -> None:
    vocabulary = {"\u2581hi": 0, "<0xE2>": 1, "x": 2}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="x"))
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback()])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    raw = TokenBytes(Encoder(tmp_path)).raw
    assert [raw(token) for token in range(3)] == [b" hi", b"\xe2", b"x"]
