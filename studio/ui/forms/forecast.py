"""What a form says of the result before anything runs: the quote of its stage in words."""

from __future__ import annotations

from backend.core.schemas import Learning, Quote
from studio.ui.shared.formatting import decimal, format_size, percent
from studio.ui.shared.i18n import _


def forecast_lines(stage: str, quote: Quote) -> list[str]:
    """Lines for the quote of a stage; most stages have none."""
    if quote.vram:
        return [*_lines(stage, quote), _card_line(quote)]
    return _lines(stage, quote)


def _card_line(quote: Quote) -> str:
    """What holds the memory of the graphics card."""
    words = {
        "context": _("CUDA"),
        "weights": _("weights"),
        "gradients": _("gradients"),
        "optimizer": _("optimizer"),
        "activations": _("activations"),
        "logits": _("logits"),
        "cache": _("KV cache"),
        "teacher": _("teacher"),
    }
    parts = ", ".join(f"{words[name]} {format_size(size)}" for name, size in quote.vram.items() if size)
    return _("On the graphics card: {parts}.").format(parts=parts)


def _lines(stage: str, quote: Quote) -> list[str]:
    if quote.learning:
        return _learning_lines(quote.learning)
    if stage == "quantize" and quote.forecast.get("run") is False:
        return [_("Built and checked on the CPU; not run on the target device here.")]
    if stage != "capture":
        return []
    line = _("Keeps the {k} most likely tokens per position, at {bits} bits each.")
    return [line.format(k=quote.forecast["k"], bits=quote.forecast["value_bits"])]


def field_hints(quote: Quote) -> dict[str, str]:
    """What a quote says of single fields."""
    if not (found := quote.learning):
        return {}
    said = _("With {rate}; {low} to {high} is usual. Twice the batch takes about 1.4 times the rate.")
    low, high = found.usual_rates
    figures = {"rate": found.learning_rate, "low": low, "high": high}
    return {"learning_rate": said.format(**{name: decimal(value, 0, 7) for name, value in figures.items()})}


def _learning_lines(learning: Learning) -> list[str]:
    said = _("Trains {trained} M of {total} M parameters ({share}).")
    if learning.estimated:
        said = _("Trains about {trained} M of {total} M parameters ({share}).")
    figures = {"trained": decimal(learning.trained / 1e6, 1), "total": decimal(learning.total / 1e6, 1, 1)}
    lines = [said.format(**figures, share=percent(learning.share))]
    names = ", ".join(f"{name} ×{count}" for name, count in sorted(learning.modules.items()))
    return [*lines, _("Trained modules: {modules}.").format(modules=names)] if names else lines
