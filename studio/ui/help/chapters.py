"""The chapters of the help: Markdown files of `assets/help/<language>`, in the order of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from backend.core.paths import assets

OF_PAGE = {
    "home": "start",
    "data": "data",
    "teacher": "teacher",
    "review": "teacher",
    "distill": "training",
    "finetune": "training",
    "run": "training",
    "result": "compare",
    "jobs": "training",
    "quantize": "quantize",
    "models": "quantize",
    "playground": "compare",
    "compare": "compare",
    "settings": "keys",
    "help": "start",
}
"""Page -> the chapter that is about it."""


@dataclass(frozen=True)
class Chapter:
    """`id` is the same in every language; `title` is the file's first line, `text` the rest, as Markdown."""

    id: str
    title: str
    text: str


@cache
def chapters(language: str) -> tuple[Chapter, ...]:
    """In English where a language has none."""
    folder = assets() / "help" / language
    files = sorted((folder if folder.is_dir() else assets() / "help" / "en").glob("*.md"))
    return tuple(_chapter(file.stem.partition("-")[2], file.read_text("utf-8")) for file in files)


def _chapter(id_: str, content: str) -> Chapter:
    title, _newline, text = content.partition("\n")
    return Chapter(id_, title.removeprefix("# ").strip(), text.strip())
