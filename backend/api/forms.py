"""What forms ask: the parameters of a stage, or of an ablation, which is many stages."""

from __future__ import annotations

from backend.core.stage import Params
from backend.planning.ablation.recipe import AblationParams
from backend.stages import stage

ABLATION = "ablation"
"""The form of an ablation, which asks what `distill` and `evaluate` ask, and more."""


def params_of(form: str) -> type[Params]:
    """Raises KeyError for an unknown name."""
    return AblationParams if form == ABLATION else stage(form).params
