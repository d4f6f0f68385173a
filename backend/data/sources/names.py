"""Names of columns: those that many files use, and how they are made distinct."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAMES = frozenset(
    re.findall(
        r"\w+",
        """
    id text label labels input output question answer answers prompt completion instruction response context
    sentence message messages intent class category sentiment target title body source date name score split
    query reply utterance document summary review rating comment description content subject topic tag type
    user assistant system language lang url texto etiqueta entrada salida pregunta respuesta mensaje categoria
    categoría clase frase idioma fecha titulo título frage antwort kategorie betrag nr klasse titel texte
    étiquette réponse catégorie
        """,
    )
)
"""What columns are called in many files."""


def usual_names(cells: Sequence[str]) -> int:
    """How many cells are usual names of columns."""
    return sum(cell.strip().lower() in _NAMES for cell in cells)


def distinct_names(header: list[str]) -> tuple[list[str], list[str]]:
    """(names, those that were made distinct): spaces tidied, "column 3" for one without a name, "id 2" for a second id."""
    tidy = [" ".join(name.split()) for name in header]
    taken, names, twice = {name for name in tidy if name}, [], []
    used: set[str] = set()
    for number, name in enumerate(tidy, 1):
        wanted = name or free_name(f"column {number}", taken)
        if wanted in used:
            wanted = free_name(wanted, taken | used)
            twice.append(wanted)
        used.add(wanted)
        names.append(wanted)
    return names, twice


def free_name(name: str, taken: set[str]) -> str:
    """`name`, with a number behind it where it is taken."""
    number, free = 2, name
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free
