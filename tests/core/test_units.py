"""Numbers in sentences: as the reader's language writes them, and the form of the sentence for one and for several."""

from __future__ import annotations

import re

import pytest

from backend.core.errors import PLAIN, Language, Problem
from backend.core.messages import MESSAGES
from backend.core.messages.plurals import Plural
from backend.core.units import number_text, quantity_text
from studio.ui.shared.i18n import translator

SPANISH = translator("es")


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        (0.8, "0.8", "0,8"),
        (83.0, "83.0", "83,0"),
        (-1.25, "-1.25", "-1,25"),
        (404, "404", "404"),
        (1230, "1,230", "1230"),
        (10_000, "10,000", "10.000"),
        (1_234_567, "1,234,567", "1.234.567"),
        (12_345.5, "12,345.5", "12.345,5"),
        (1e-07, "1e-07", "1e-07"),
        (float("inf"), "inf", "inf"),
    ],
)
def test_figures(value: float, english: str, spanish: str) -> None:
    assert (number_text(value, "en"), number_text(value, "es")) == (english, spanish)


def test_a_quantity_is_localised_and_nothing_else() -> None:
    assert quantity_text("1.4 GB", "es") == "1,4\u00a0GB" and quantity_text("1.4 GB", "en") == "1.4 GB"
    for text in ("v1.4 GB.csv", "1.2.0", "notes 1.4", "0.8"):
        assert quantity_text(text, "es") == text


def test_a_sentence_takes_the_form_of_its_number() -> None:
    one, many = (Problem(code="data.input_empty", args={"file": "f", "count": n, "places": "3"}) for n in (1, 12_000))
    assert one.sentence().startswith("f: 1 row has no input (row 3).")
    assert many.sentence().startswith("f: 12,000 rows have no input")
    assert one.sentence(SPANISH).startswith("f: 1 fila no tiene entrada (fila 3).")
    assert many.sentence(SPANISH).startswith("f: 12.000 filas no tienen entrada")
    assert one.fact(SPANISH).endswith("(fila 3).") and one.sentence(lambda text: text) == one.sentence()
    of_old = Problem(code="data.input_empty", args={"file": "f", "count": "some", "places": "3"})
    assert of_old.sentence().startswith("f: some rows have")


def test_names_made_of_digits_are_not_grouped() -> None:
    codes = [code for code, parts in MESSAGES.items() if any("{port}" in part for part in parts)]
    assert codes and "port" in PLAIN
    args = dict.fromkeys(re.findall(r"\{(\w+)\}", " ".join(MESSAGES[codes[0]])), "x") | {"port": 18610}
    assert "18610" in Problem(code=codes[0], args=args).sentence(SPANISH)


def test_a_translator_is_a_language() -> None:
    assert isinstance(SPANISH, Language) and SPANISH.locale == "es"


def test_no_sentence_leaves_the_number_open() -> None:
    """What counts is said twice, once for one; and the argument that counts stands in both forms."""
    parts = [part for each in MESSAGES.values() for part in each]
    assert not [part for part in parts if re.search(r"\w\((s|es)\)(?!://)", part)]
    counted = [part for part in parts if isinstance(part, Plural)]
    assert len(counted) > 50
    places = re.compile(r"\{(\w+)\}")
    for part in counted:
        assert f"{{{part.by}}}" in part and sorted(places.findall(part.one)) == sorted(places.findall(part)), part
