"""The catalogue is whole, and tables of words fit what they name."""

from __future__ import annotations

import ast
import re

import pytest
from babel.messages.pofile import read_po

from backend import stages
from backend.paths import ROOT
from backend.schemas import Kind, State
from studio.nav import NAV
from studio.paths import LOCALE
from studio.ui import words


def asked() -> set[str]:
    """Every sentence that the shell asks the catalogue for."""
    found = (
        {row.title for row in NAV} | {row.help for row in NAV} | set(words.STAGES.values()) | set(words.KINDS.values())
    )
    found |= {word for word, _icon, _colour in words.STATES.values()} | {
        label for label, _unit in words.METRICS.values()
    }
    files = [*(ROOT / "studio").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "ngettext"):
                found |= {arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant)}
    assert len(files) >= 10 and len(found) >= 50
    return found


def test_spanish_has_every_sentence_and_no_other() -> None:
    with (LOCALE / "es" / "LC_MESSAGES" / "studio.po").open("rb") as file:
        catalogue = read_po(file, locale="es")
    known = {message.id[0] if isinstance(message.id, tuple) else message.id for message in catalogue if message.id}
    assert known == asked()


def test_translations_keep_their_placeholders() -> None:
    with (LOCALE / "es" / "LC_MESSAGES" / "studio.po").open("rb") as file:
        for message in read_po(file, locale="es"):
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            texts = message.string if isinstance(message.string, tuple) else (message.string,)
            if not message.id:
                continue
            for text in texts:
                assert text, message.id
                assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", ids[0])), message.id


def test_tables_name_every_state_stage_and_kind() -> None:
    assert set(words.STATES) == set(State)
    assert tuple(words.STAGES) == stages.NAMES
    assert set(words.KINDS) == {*Kind, "checkpoints", "cache", "logs", "uploads"}


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59.6, "1 min 00 s"), (95, "1 min 35 s"), (7384, "2 h 03 min")]
)
def test_duration(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (1_234_567, "1.2 MB"), (999_960, "1.0 MB"), (5e15, "5,000.0 TB")]
)
def test_size(count: float, said: str) -> None:
    assert words.size(count) == said


def test_words_of_others_carry_no_markup() -> None:
    assert words.escaped("![x](http://a) <b> *c* r-1.csv") == r"!\[x\](http\://a) \<b\> \*c\* r-1.csv"
