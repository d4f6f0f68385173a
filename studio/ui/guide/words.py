"""Goals and presets as people read them."""

from __future__ import annotations

from backend.api.guide import PRESETS, GoalName, figures
from studio.ui.shared.formatting import format_metric
from studio.ui.shared.i18n import _, ngettext

ICONS: dict[str, str] = {
    "sort": ":material/category:",
    "answer": ":material/forum:",
    "extract": ":material/data_object:",
    "style": ":material/edit_note:",
    "shrink": ":material/compress:",
}


def goal_title(goal: str) -> str:
    return {
        "sort": _("Sort texts"),
        "answer": _("Answer questions"),
        "extract": _("Extract fields"),
        "style": _("Write in our style"),
        "shrink": _("Make a large model small"),
    }[goal]


def goal_words(goal: str) -> str:
    """What the file has to hold, in one sentence."""
    return {
        "sort": _("A file of texts, each with its category."),
        "answer": _("A file of questions with good answers, or of chats."),
        "extract": _("A file of texts, each with the fields to find in it."),
        "style": _("A file of requests, each with a text you like."),
        "shrink": _("A file of texts; a teacher shows a small model how to answer them."),
    }[goal]


def preset_title(preset: str) -> str:
    return {"quick": _("Quick"), "balanced": _("Balanced"), "best": _("Best")}[preset]


def preset_words(preset: str) -> str:
    """How much of the file is used, and how often."""
    rows, times = PRESETS[preset].rows, PRESETS[preset].epochs
    used = ngettext("up to {n} row", "up to {n} rows", rows) if rows else _("all rows")
    return f"{used} · {ngettext('{n} pass', '{n} passes', int(times))}"


def _figure_words(preset: str, goal: GoalName) -> str:
    """`Quick: accuracy 88.0% (250 test rows)`; empty where nothing was measured."""
    one = next((one for one in figures() if one.preset == preset and one.goal == goal), None)
    if one is None:
        return ""
    label, value = format_metric(one.metric, one.quality)
    words = _("{preset}: {measure} {value} ({n} test rows)")
    return words.format(preset=preset_title(preset), measure=label, value=value, n=one.n)


def demo_words(goal: GoalName) -> str:
    """What the presets reached on the demo's rows, which says nothing of somebody's own file."""
    told = "; ".join(filter(None, (_figure_words(preset, goal) for preset in PRESETS)))
    return _("Reached on the built-in demo, not on your file: {told}.").format(told=told) if told else ""
