"""What forms ask and how stages are called: of every stage, and of an ablation, which is many stages."""

from __future__ import annotations

from typing import Any

from backend.core.fields import labels_of
from backend.core.stage import AnyForm
from backend.data.formats import source_suffixes
from backend.planning.ablation.recipe import FORM
from backend.stages import names, stage
from backend.training.methods import with_method

ABLATION = "ablation"
"""The form of an ablation, which asks what `distill` and `evaluate` ask, and more."""
SOURCE_SUFFIXES = source_suffixes()
"""Of the files that a dataset can be made from."""

__all__ = [
    "ABLATION",
    "SOURCE_SUFFIXES",
    "form_of",
    "labels_of",
    "names",
    "page_of",
    "proposed",
    "stages_of",
    "title_of",
    "with_method",
]


def form_of(name: str) -> AnyForm:
    """Raises KeyError for an unknown name."""
    return FORM if name == ABLATION else stage(name)


def title_of(name: str) -> str:
    """What a stage does, in English; its name where there is no such stage any more."""
    return stage(name).title if name in names() else name


def page_of(name: str) -> str:
    """The address of the page that has the form of a stage; "" where there is no such stage any more."""
    return stage(name).page if name in names() else ""


def stages_of(page: str) -> list[str]:
    """The stages whose forms are on a page, in the order of the chain."""
    return [name for name in names() if page in (stage(name).page, *stage(name).proposes)]


def proposed(name: str, page: str) -> dict[str, Any]:
    """What the form of a stage begins with on a page."""
    return dict(stage(name).proposes.get(page, {}))
