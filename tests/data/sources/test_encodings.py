"""Encodings: UTF-8 first, western guesses, others by charset-normalizer, and what a person says."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.data.sources.encodings import shown
from tests.data.sources.helpers import notes, opened, rows

TEXTS = {
    "cp1252": "El niño pidió más café – ¿cuándo llegará? ¡Qué rápido!",
    "latin-1": "Für fünf Punkte weiß er größere Häuser",
    "mac_roman": "La señora García pidió más café, ¿cuándo llegará?",
    "cp1250": "Příliš žluťoučký kůň, děkuji za rychlé doručení",
    "cp1251": "Спасибо за быструю доставку, всё понравилось",
    "cp1253": "Ευχαριστώ πολύ για την γρήγορη παράδοση",
    "gb18030": "送货很快，下次还会购买，谢谢",
}


@pytest.mark.parametrize("encoding", TEXTS)
def test_texts_of_many_encodings(encoding: str, tmp_path: Path) -> None:
    content = "text;label\n" + "".join(f"{TEXTS[encoding]} {n};gut\n" for n in range(20))
    source = opened(tmp_path / "a.csv", content.encode(encoding))
    assert rows(source)[3]["text"] == f"{TEXTS[encoding]} 3"
    assert notes(source) >= {"data.encoding_taken"} and not source.facts.encoding_sure


def test_a_few_letters_in_a_long_ascii_file_count(tmp_path: Path) -> None:
    content = "text,label\n" + "a lamp is fine,good\n" * 90_000 + "naïve café,bad\n"
    source = opened(tmp_path / "a.csv", content.encode("cp1252"))
    assert rows(source)[-1]["text"] == "naïve café" and source.facts.encoding == "cp1252"


def test_damaged_bytes_in_utf8_are_row_errors(tmp_path: Path) -> None:
    content = "text,label\n" + "El niño pidió café,bien\n" * 9
    source = opened(tmp_path / "a.csv", content.encode() + b"ni\xf1o,bien\n")
    assert len(rows(source, {"data.encoding": 1})) == 9 and source.facts.encoding == "utf-8"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(encoding: str, tmp_path: Path) -> None:
    source = opened(tmp_path / "a.csv", ("text,label\n" + "a lamp,good\n" * 9).encode(encoding))
    assert len(rows(source)) == 9 and source.facts.encoding == encoding


def test_a_person_may_say_the_encoding(tmp_path: Path) -> None:
    content = "text,label\nзима,да\nлето,нет\n".encode("cp1251")
    source = opened(tmp_path / "a.csv", content, encoding="windows-1251")
    assert (
        rows(source)[0]["text"] == "зима" and source.facts.encoding_sure and not notes(source) & {"data.encoding_taken"}
    )
    assert rows(opened(tmp_path / "a.csv", "\ufefftext,label\na,b\n", encoding="utf-8"))[0] == {
        "text": "a",
        "label": "b",
    }
    assert rows(opened(tmp_path / "a.csv", "text,label\né,b\nc,d\n", encoding="ascii"), {"data.encoding": 1})


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", "a\0b"])
def test_an_unknown_encoding_names_its_flag(name: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="--encoding") as caught:
        opened(tmp_path / "a.csv", "text,label\na,b\n", encoding=name)
    assert caught.value.problems[0].field == "encoding"


@pytest.mark.parametrize(
    ("codec", "name"),
    [("mac-roman", "Mac Roman"), ("cp1252", "Windows-1252"), ("utf-8-sig", "UTF-8"), ("cp1255", "Windows-1255")],
)
def test_an_encoding_has_one_name_everywhere(codec: str, name: str) -> None:
    assert shown(codec) == name
