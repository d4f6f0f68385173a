"""An ablation in words: variants, what differs, and how sure that is."""

from __future__ import annotations

from backend.planning.ablation.results import Ablation, Arm, Difference
from studio.ui.shared.formatting import decimal, percent
from studio.ui.shared.i18n import _, ngettext

VERDICTS = (("sequence", "gold"), ("logit", "gold"), ("logit", "sequence"))


def variant_label(variant: str, precision: str = "fp32") -> str:
    """`Labelled rows · INT4`."""
    words = {
        "base": _("Untrained student"),
        "gold": _("Labelled rows"),
        "sequence": _("Teacher's answers (sequence)"),
        "logit": _("Answers and probabilities (logit)"),
        "teacher": _("Teacher"),
    }[variant]
    return words if precision == "fp32" else f"{words} · {precision.upper()}"


def variant_method_label(variant: str) -> str:
    """A variant in the middle of a sentence."""
    return {
        "gold": _("training on the labelled rows"),
        "sequence": _("sequence distillation"),
        "logit": _("logit distillation"),
    }[variant]


def percentage_points(share: float) -> str:
    """A difference of shares in points: `2.1`, `−0.4`."""
    return decimal(round(share * 100, 1), 1, 1).replace("-", "−")


def range_text(low: float, high: float) -> str:
    """`0.4 to 3.8`."""
    return _("{low} to {high}").format(low=percentage_points(low), high=percentage_points(high))


def interval_text(arm: Arm) -> str:
    """`81.2 % to 86.0 %`."""
    return _("{low} to {high}").format(low=percent(arm.low), high=percent(arm.high))


def headline(found: Ablation) -> tuple[str, str]:
    """(kind of message, words): whether any way of distilling beat training on gold."""
    against = [each for way in ("sequence", "logit") if (each := found.difference(way, "gold"))]
    if not against:
        return "info", _("Variants not measured yet.")
    if any(each.shown and each.mean > 0 for each in against):
        return "success", _("Distillation helped.")
    if all(each.shown and each.mean < 0 for each in against):
        return "warning", _("Distillation did not help: training on the labelled rows alone scores higher.")
    return "info", _("No proven gain from distillation.")


def verdicts(found: Ablation) -> list[str]:
    """A sentence for each pair of ways that was measured, and what a single seed can't tell."""
    pairs = [each for one, other in VERDICTS if (each := found.difference(one, other))]
    said = [difference_text(each, found.n) for each in pairs]
    if pairs and all(each.seeds == 1 for each in pairs):
        said.append(_("With one seed, a gain may be training luck. Intervals cover rows only."))
    return said


def difference_text(found: Difference, n: int) -> str:
    """What a difference says, and on how much that rests."""
    about = {
        "one": variant_method_label(found.one),
        "other": variant_method_label(found.other),
        "points": percentage_points(abs(found.mean)),
        "range": range_text(found.low, found.high),
        "rows": ngettext("{n} row", "{n} rows", n),
        "seeds": ngettext("{n} seed", "{n} seeds", found.seeds),
        "differ": ngettext("{n} row", "{n} rows", found.differ),
    }
    if found.shown and found.mean > 0:
        words = _("{one} scored {points} points above {other} ({range}; {rows}, {seeds}).")
    elif found.shown:
        words = _("{one} scored {points} points below {other} ({range}; {rows}, {seeds}).")
    elif found.clear:
        words = _("{one} and {other} differ on only {differ}: not significant ({range} points; {rows}, {seeds}).")
    else:
        words = _("No significant difference between {one} and {other} on {rows} and {seeds} ({range} points).")
    text = words.format(**about)
    return text[:1].upper() + text[1:]
