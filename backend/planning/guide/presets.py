"""How much is done for a model: Quick, Balanced, Best. The table below is the one place that decides it; the figures in
assets/preset_figures.json are what `python -m benchmarks.presets` measured on the shipped data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, Literal

from backend.core.paths import assets
from backend.core.schemas import View

PresetName = Literal["quick", "balanced", "best"]
FIGURES = "preset_figures.json"


_INT4 = (("rounding", "kquant"), ("block_size", 32), ("head_bits", 8))
"""On the demo (60 rows, a model tuned for one pass): 48.3 % right before INT4, 36.7 % with these (107 MB), 20.0 % with the
defaults of the stage (83 MB)."""


@dataclass(frozen=True)
class Preset:
    """`rows`: of the file, at most (0: all); `epochs` and `rank` of fine-tuning; `layers`: the share of its teacher's layers
    that a student keeps; `student_epochs`: of distillation; `measured`: test rows at most (0: all); `before`: whether the
    untuned model is measured too; `quantize`: parameters of INT4."""

    name: PresetName
    rows: int
    epochs: float
    rank: int
    layers: float
    student_epochs: float
    measured: int
    before: bool
    quantize: tuple[tuple[str, Any], ...] = _INT4


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("quick", rows=600, epochs=3, rank=8, layers=0.2, student_epochs=2, measured=100, before=False),
        Preset("balanced", rows=3_000, epochs=3, rank=16, layers=0.2, student_epochs=4, measured=400, before=True),
        Preset("best", rows=0, epochs=4, rank=32, layers=0.4, student_epochs=8, measured=0, before=True),
    )
}
DEFAULT: PresetName = "balanced"


class Figure(View):
    """What a preset reached on shipped data. `quality` is the value of `metric` on `n` test rows with a 95 % interval, as
    shares of 1; `seconds` is the time of the whole run on `machine`. `settings`: the preset as it was then; a figure counts for
    no other."""

    preset: PresetName
    goal: str
    data: str
    metric: str
    quality: float
    low: float | None = None
    high: float | None = None
    n: int
    seconds: float
    machine: str
    date: str
    settings: dict[str, Any]


def figures() -> list[Figure]:
    """All that was measured of the presets as they are now; empty where nothing was."""
    return [one for one in _figures() if one.settings == settings_of(PRESETS[one.preset])]


def settings_of(preset: Preset) -> dict[str, Any]:
    """A preset as JSON has it."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(preset)))
    return plain


@cache
def _figures() -> tuple[Figure, ...]:
    path = assets() / FIGURES
    return tuple(map(Figure.model_validate, json.loads(path.read_text("utf-8")))) if path.is_file() else ()
