"""Words and numbers as people read them: states, stages, metrics, times and sizes in the user's language."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_currency

from backend.api.data_checks import FIX_TITLES, GATE_TITLES
from backend.api.forms import form_of, labels_of, title_of
from backend.api.metrics import Metric, metrics
from backend.core.schemas import JobView, Kind, Quote, RunView, State, whole_range
from backend.core.units import decimal_text, duration_text, human_bytes, percent_text
from studio.ui.shared.choices import is_note
from studio.ui.shared.i18n import _, lang, region

Colour = Literal["red", "orange", "blue", "green", "violet", "gray"]

STATES: dict[State, tuple[str, str, Colour]] = {
    State.WAITING: ("Waiting", ":material/hourglass_empty:", "gray"),
    State.QUEUED: ("Queued", ":material/hourglass_top:", "gray"),
    State.RUNNING: ("Running", ":material/progress_activity:", "blue"),
    State.CANCELLING: ("Stopping", ":material/stop_circle:", "orange"),
    State.SUCCEEDED: ("Done", ":material/check:", "green"),
    State.FINDINGS: ("With findings", ":material/warning:", "orange"),
    State.FAILED: ("Failed", ":material/error:", "red"),
    State.CANCELLED: ("Cancelled", ":material/block:", "gray"),
    State.BLOCKED: ("Not started", ":material/link_off:", "gray"),
}

KINDS: dict[str, str] = {
    Kind.DATASET: "Datasets",
    Kind.MODEL: "Models",
    Kind.ADAPTER: "Adapters",
    Kind.ONNX: "ONNX models",
    Kind.CAPTURE: "Captures",
    Kind.EVALUATION: "Evaluations",
    Kind.AUDITION: "Auditions",
    Kind.REPORT: "Reports",
    Kind.PACKAGE: "Packages",
    "checkpoints": "Checkpoints",
    "cache": "Cache",
    "logs": "Logs",
    "uploads": "Uploads",
    "trash": "Trash",
}


def escape_markdown(text: str) -> str:
    """Words of others (file names, an endpoint's reply) as plain text: no markup, no picture that a browser would fetch."""
    return re.sub(r"([\\`*_\[\]<>#~$:])", r"\\\1", text)


def message_markdown(text: str) -> str:
    """A message of the studio: what stands between backticks is code, in which nothing is markup; all else is plain text."""
    parts = re.split(r"(`[^`\n]+`)", text)
    return "".join(part if at % 2 else escape_markdown(part) for at, part in enumerate(parts))


def state_label(state: State) -> str:
    return _(STATES[state][0])


def stage_label(stage: str) -> str:
    return _(title_of(stage))


def kind_label(kind: str) -> str:
    return _(KINDS.get(kind, kind))


def kind_name(kind: Kind) -> str:
    """One thing of a kind, inside a sentence; `kind_words` names many."""
    return {
        Kind.DATASET: _("dataset"),
        Kind.MODEL: _("model"),
        Kind.ADAPTER: _("adapter"),
        Kind.ONNX: _("ONNX model"),
        Kind.CAPTURE: _("capture"),
        Kind.EVALUATION: _("evaluation"),
        Kind.AUDITION: _("audition"),
        Kind.REPORT: _("report"),
        Kind.PACKAGE: _("package"),
    }[kind]


def kind_word(kind: Kind) -> str:
    """One thing of a kind, as a title; `kind_words` names many."""
    word = kind_name(kind)
    return word[:1].upper() + word[1:]


def field_label(stage: str, field: str) -> tuple[str, str]:
    """(title, description) of a stage's parameter."""
    info = form_of(stage).params.model_fields[field]
    return _(info.title or field), _(info.description or field)


def option_label(stage: str, field: str, value: Any) -> str:
    """A parameter's value as people read it; several are joined by commas, and what is no code stays as it is."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(option_label(stage, field, each) for each in value)
    info = form_of(stage).params.model_fields.get(field)  # None: one of another version
    word = labels_of(info).get(value) if info else None
    return _(word) if word else str(value)


def note_label(note: str) -> str:
    """What a stage is doing, as the beginning of a line; words that the table doesn't know stay as they are."""
    words = _(note) if is_note(note) else note
    return words[:1].upper() + words[1:]


def format_size(count: float) -> str:
    """`1234567` -> `1.2 MB` (decimal units, as disks are sold)."""
    return human_bytes(count, lang())


def count_text(value: float) -> str:
    """Whole, in groups: `2,064`."""
    return decimal(value, 0, 0)


def decimal(value: float, least: int = 0, most: int = 3) -> str:
    """With `least` to `most` digits after the point."""
    return decimal_text(value, lang(), least, most)


def number(value: float) -> str:
    """Three digits that count: `0.023`, `1.84`, `20.3`, `326`; thousands whole; `< 0.001` for less."""
    if 0 < value < 0.0005:
        return f"< {decimal(0.001)}"
    after = 3 if abs(value) < 1 else 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return decimal(value, 0, after)


def duration(seconds: float) -> str:
    """`95` -> `1 min 35 s`; above an hour in hours and minutes; `< 1 s` for less."""
    return duration_text(seconds, lang())


def duration_range(least: float, most: float) -> str:
    """`1-3 min`, `20-45 s`, `40 s - 2 min`, `1.5-2.5 h`: coarse, since it is a guess. One value where both round to it."""
    (low, unit), (high, larger) = _coarse(least, up=False), _coarse(most, up=True)
    if unit != larger:
        return f"{low} {unit} – {high} {larger}"
    return f"{high} {unit}" if low == high else f"{low}–{high} {unit}"


def _coarse(seconds: float, up: bool) -> tuple[str, str]:
    """(number, unit), rounded up or down to a step that fits its size."""
    steps = (
        (10, 1, 1, "s"),
        (60, 5, 1, "s"),
        (1200, 60, 60, "min"),
        (5400, 300, 60, "min"),
        (math.inf, 900, 3600, "h"),
    )
    for below, step, unit, name in steps:
        rounded = (math.ceil if up else math.floor)(seconds / step) * step
        if rounded < below:
            return decimal(max(rounded, 1) / unit, 0, 2), name
    raise AssertionError("the last step takes everything")


def quoted_time(*quotes: Quote) -> str:
    """The range that stages one after another are expected to take, or one value where an earlier version quoted."""
    if not all(quote.most_seconds for quote in quotes):
        return duration(sum(quote.seconds for quote in quotes))
    return duration_range(*whole_range(quotes))


def ago(moment: datetime) -> str:
    """`3 minutes ago`."""
    passed = min(moment - datetime.now(UTC), timedelta(0))
    return (
        _("just now") if passed > timedelta(seconds=-5) else format_timedelta(passed, add_direction=True, locale=lang())
    )


def clock(moment: datetime) -> str:
    """Date and time of this machine, in the short form of the language and of the browser's country."""
    return format_datetime(moment.astimezone(), "short", locale=region(lang()))


def percent(share: float, least: int = 1, most: int = 1) -> str:
    """`88.5%` in English, `88,5 %` in Spanish."""
    return percent_text(share, lang(), least, most)


def money(usd: float) -> str:
    """`$12.40`; sums below ten cents with four digits that count at most: `$0.0023`."""
    form = "¤#,##0.00" if usd >= 0.1 or usd == 0 else "¤0.00####"
    return format_currency(usd, "USD", form, locale=lang(), currency_digits=False)


def format_metric(name: str, value: float) -> tuple[str, str]:
    """(label, value) of a metric; one that the table doesn't know shows its own name. Findings of a check and rows that a fix
    changed are called like their check and fix."""
    known = metrics().get(name) or _of_data(name) or Metric(name, name)
    shown = {
        "share": lambda: percent(value),
        "ms": lambda: f"{count_text(value)} ms",
        "bytes": lambda: format_size(value),
        "count": lambda: count_text(value),
        "number": lambda: number(value),
        "usd": lambda: money(value),
        "fine": lambda: decimal(value, 0, 5),
    }[known.unit]()
    return _(known.title), shown


def _of_data(name: str) -> Metric | None:
    title = FIX_TITLES.get(name) or GATE_TITLES.get(name.removeprefix("found_"))
    return Metric(name, title, "count") if title else None


TRUNCATED_SHARE = 0.02
"""Of the replies: what fewer of them lack is not worth a warning."""


def truncation_hint(share: float) -> str:
    """What to do about replies that ended at the limit of tokens."""
    words = _("{share} of replies were cut off. Raise “{field}”, unless the model rambles.")
    return words.format(share=percent(share), field=_("Maximum answer length (tokens)"))


def run_seconds(run: RunView) -> float | None:
    """From the first start to the last end, or to now; None when nothing has started."""
    starts = [job.started for job in run.jobs if job.started]
    if not starts:
        return None
    ends = [job.ended for job in run.jobs if job.ended]
    last = max(ends) if ends and run.state.ended else datetime.now(UTC)
    return max((last - min(starts)).total_seconds(), 0.0)


def run_left(run: RunView) -> str:
    """`2–4 min left in all`: of its job at work and of those that come after; empty where one of them has no estimate, and for
    the last job, whose own time says it."""
    ahead = [job for job in run.jobs if not job.state.ended]
    at_work = [job for job in ahead if job.state is State.RUNNING]
    quotes = [job.quote for job in ahead if job not in at_work and job.quote and job.quote.most_seconds]
    if not quotes or len(at_work) != 1 or len(quotes) < len(ahead) - 1 or at_work[0].eta_seconds is None:
        return ""
    least, most = (at_work[0].eta_seconds + seconds for seconds in whole_range(quotes))
    return _("{time} left in all").format(time=duration_range(least, most))


def progress_line(job: JobView, share: bool = True) -> str:
    """`Step 12 of 40 · 30.0 % · 2 min 05 s left`, as far as it is known; the phase alone while nothing of it is done.
    `share`: with the percent of the job, of which all of it speaks; else the time that is left is said to be of this step."""
    if not job.note:  # between the start of its process and its first word
        return _("Loading libraries") if job.state is State.RUNNING else _("Starting")
    parts = [note_label(job.note)]
    if share and job.total > 0 and job.done > 0:
        parts.append(percent(min(job.done / job.total, 1.0)))
    if job.eta_seconds is not None:
        words = _("{time} left") if share else _("{time} left in this step")
        parts.append(words.format(time=duration(job.eta_seconds)))
    return " · ".join(parts)


def version_line() -> str:
    return f"SLMOps Studio {_version()} · " + _("local")


@cache
def _version() -> str:
    return version("slmops-studio")
