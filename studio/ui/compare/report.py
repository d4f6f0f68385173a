"""The comparison as a document: what the page shows, in its words, for people who don't open the studio."""

from __future__ import annotations

from datetime import UTC, datetime
from math import log10

from babel.dates import format_date

from backend.api.metrics import higher_is_better
from backend.results.answers import Answers
from backend.results.evaluations import EvaluationView, metric_ratio, pareto_front
from backend.results.report import BulletList, Dot, Heading, Paragraph, Part, Report, Scatter, Table
from studio.ui.compare.baseline import baseline_level, comparison
from studio.ui.compare.charts import colour
from studio.ui.compare.controls import Selection
from studio.ui.compare.labels import (
    benchmark_label,
    gain_text,
    origin_texts,
    quality_text,
    significance_text,
)
from studio.ui.compare.leaderboard import GAINS, leaderboard_table
from studio.ui.shared.charts import SHARES, axis_range, axis_text, ticks
from studio.ui.shared.formatting import format_metric, version_line
from studio.ui.shared.i18n import _, lang
from studio.ui.shared.table import Cell


def report(choice: Selection, answers: Answers) -> Report:
    """`answers` are those of the two models that stand face to face, or of one."""
    date = format_date(datetime.now(UTC).date(), "long", locale=lang())
    return Report(
        title=_("Model comparison"),
        subtitle=" · ".join([benchmark_label(choice.group), date, version_line()]),
        lang=lang(),
        parts=[
            *_gains(choice, answers),
            Heading(text=_("Quality and cost")),
            _scatter(choice),
            _table(choice),
            *_against_baseline(choice),
            Heading(text=_("Lineage")),
            *_making(choice),
            Heading(text=_("Method")),
            Paragraph(text=_measuring()),
        ],
    )


def _label(metric: str) -> str:
    return format_metric(metric, 0.0)[0]


def _measuring() -> str:
    return _(
        "Every model was evaluated on the same unseen rows. Times are for one prompt at a time "
        "on the machine above; memory is the process's peak; size covers everything you ship, "
        "including an adapter's base model. Intervals are 95%: Wilson where rows are right or wrong, else bootstrap over rows."
    )


def _gains(choice: Selection, answers: Answers) -> list[Part]:
    one, other, name = choice.picked, choice.against, choice.names
    parts: list[Part] = []
    if choice.quality in one.metrics:
        parts.append(Paragraph(text=f"{name[one.id]}: {_label(choice.quality)} {quality_text(one, choice.quality)}."))
    if one.id == other.id:
        return parts
    ratios = [(metric, metric_ratio(one, other, metric)) for metric in (choice.quality, *GAINS)]
    gained = [f"{_label(metric)}: {gain_text(metric, ratio)}" for metric, ratio in ratios if ratio is not None]
    paired = answers.paired()
    title = _("{first} vs. {second}").format(first=name[one.id], second=name[other.id])
    counts = Table(
        header=[
            _("Both correct"),
            *(_("Only {name} correct").format(name=name[each.id]) for each in (one, other)),
            _("Both incorrect"),
        ],
        rows=[[str(count) for count in (paired.both, paired.only_first, paired.only_second, paired.neither)]],
        numbers=[0, 1, 2, 3],
    )
    said = Paragraph(text=significance_text(paired, name[one.id], name[other.id]))
    return [Heading(text=title), *parts, BulletList(texts=gained), counts, said]


def _scatter(choice: Selection) -> Scatter:
    x, y = choice.x, choice.quality
    shown = choice.drawn
    heights = [each for one in shown for each in (one.metrics[y], *(one.interval(y) or ()))]
    level = baseline_level(choice)
    heights += [level[0]] if level else []
    right = higher_is_better(x)
    wide = axis_range([one.metrics[x] for one in shown], choice.log, (0.12, 0.3) if right else (0.3, 0.12))
    high = axis_range(heights, False, (0.12, 0.16))
    best = pareto_front(shown, x, y)
    on_front = {one.id for one in best}

    def dot(one: EvaluationView) -> Dot:
        interval = one.interval(y)
        return Dot(
            x=_place(one.metrics[x], wide, choice.log),
            y=_place(one.metrics[y], high, False),
            colour=colour(one),
            label=choice.names[one.id] if one.id in on_front else "",
            whisker=(_place(interval[0], high, False), _place(interval[1], high, False)) if interval else None,
        )

    return Scatter(
        title=f"{_label(y)}, {_label(x)}",
        x_title=_label(x),
        y_title=_label(y),
        dots=[dot(one) for one in shown],
        line=[(_place(one.metrics[x], wide, choice.log), _place(one.metrics[y], high, False)) for one in best],
        level=(_place(level[0], high, False), level[1]) if level else None,
        x_ticks=[(_place(mark, wide, choice.log), axis_text(x, mark)) for mark in ticks(x, *wide, choice.log)],
        y_ticks=[(_place(mark, high, False), axis_text(y, mark)) for mark in ticks(y, *high, False)],
        left=not right,
        above=higher_is_better(y),
    )


def _place(value: float, axis: tuple[float, float], log: bool) -> float:
    low, high = axis
    return log10(value / low) / log10(high / low) if log else (value - low) / (high - low)


def _table(choice: Selection) -> Table:
    columns, rows = leaderboard_table(choice)
    lines = []
    for row in rows:
        about = " · ".join([row[0].get("sub", ""), *(tag["text"] for tag in row[0].get("tags", []))])
        first = f"{row[0]['text']}\n({about})"
        lines.append(
            [first, *(f"{cell['text']}\n({cell['sub']})" if "sub" in cell else cell["text"] for cell in row[1:])]
        )
    return Table(
        header=[column["title"] for column in columns],
        rows=lines,
        numbers=list(range(1, len(columns))),
        bars={at: _shares(choice, rows, at) for at in range(1, len(columns))},
    )


def _against_baseline(choice: Selection) -> list[Part]:
    """Whether each model beats what no language model reaches."""
    said = [f"{choice.names[one.id]}: {words}" for one in choice.group if (words := comparison(one))]
    return [Heading(text=_("Quick baseline")), BulletList(texts=said)] if said else []


def _shares(choice: Selection, rows: list[list[Cell]], at: int) -> list[float | None]:
    """Of the largest in the column; shares of 1 stay what they are."""
    values = [row[at]["value"] for row in rows]
    largest = max((value for value in values if isinstance(value, float)), default=0.0)
    whole = 1.0 if at == 1 and choice.quality in SHARES else largest
    return [value / whole if isinstance(value, float) and whole else None for value in values]


def _making(choice: Selection) -> list[Part]:
    parts: list[Part] = []
    for one in choice.group:
        parts += [Paragraph(text=choice.names[one.id]), BulletList(texts=origin_texts(one))]
    return parts
