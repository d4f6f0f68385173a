"""What a form says of the result before anything runs: the forecast of its stage in words."""

from __future__ import annotations

from typing import Any

from studio.ui.shared.i18n import _


def forecast_lines(stage: str, forecast: dict[str, Any]) -> list[str]:
    """Lines for the quote of a stage; most stages have none."""
    if stage == "quantize" and forecast.get("run") is False:
        return [_("Built and checked on the CPU; not run on the target device here.")]
    if stage != "capture":
        return []
    line = _("Keeps the {k} most likely tokens per position, at {bits} bits each.")
    return [line.format(k=forecast["k"], bits=forecast["value_bits"])]
