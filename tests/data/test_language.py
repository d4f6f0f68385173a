"""Guessing a language, and dropping answers that are in another one than was asked for."""

from __future__ import annotations

import pytest

from backend.data.curation import curate
from backend.data.dataset import Row, Template
from backend.data.filters import FilterParams
from backend.data.language import language_of

SPANISH = "La luz de la cocina ya está encendida desde hace una hora."
ENGLISH = "The light in the kitchen has been on for an hour already."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (SPANISH, "es"),
        (ENGLISH, "en"),
        ("Das Licht in der Küche brennt schon seit einer Stunde.", "de"),
        ("ok", None),
        ("12:30", None),
        ("", None),
    ],
)
def test_a_language_is_named_only_when_the_text_shows_it(text: str, language: str | None) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("wanted", "gone"), [("any", set()), ("es", {"english"}), ("en", {"spanish"}), ("input", {"english"})]
)
def test_answers_in_another_language_go(wanted: str, gone: set[str]) -> None:
    asked = "¿Está encendida la luz de la cocina en este momento?"
    rows = [Row(id=name, input=asked, output=text) for name, text in (("spanish", SPANISH), ("english", ENGLISH))]
    rows.append(Row(id="short", input=asked, output="ok"))
    found = curate(FilterParams(language=wanted, near_duplicates=0), Template(), rows)  # type: ignore[arg-type]
    assert {drop.row.id for drop in found.drops} == gone
    assert {drop.reason for drop in found.drops} <= {"language"}


def test_labels_have_no_language() -> None:
    template = Template(answer="label", labels=[ENGLISH])
    rows = [Row(id="1", input=SPANISH, output=ENGLISH)]
    assert not curate(FilterParams(language="es"), template, rows).drops
