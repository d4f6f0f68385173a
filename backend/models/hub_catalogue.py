"""A short list of models to begin with, from assets/hub_catalogue.yaml. Reading it asks no network."""

from __future__ import annotations

from functools import cache
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from backend.core.paths import assets


class CatalogueEntry(BaseModel):
    """A model on the hub: facts as `source` says. `parameters` rounded; `languages`: how many, at least; `type`: of its
    configuration; `role`: what its size is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    repo: str
    parameters: int
    license: str
    languages: int
    type: str
    role: Literal["student", "teacher"]
    gated: bool = False
    source: str


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """Smallest first."""
    rows = yaml.safe_load((assets() / "hub_catalogue.yaml").read_text("utf-8"))
    return tuple(sorted((CatalogueEntry.model_validate(row) for row in rows), key=lambda each: each.parameters))
