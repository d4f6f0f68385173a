"""A report of ready words and figures as one HTML file that needs nothing from outside, and as Markdown.

It knows no language and no metric: whoever builds a `Report` has translated and formatted. Every text is escaped here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from backend.core.schemas import View

_WIDE, _HIGH = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 20, 50
_LINE = 15
_STYLE = """
:root { color-scheme: light dark; --line: #e3e6ef; --soft: #5b6172; --accent: #4338ca }
@media (prefers-color-scheme: dark) { :root { --line: #2b3046; --soft: #a9afc3; --accent: #a5b4fc } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem; margin: 0 0 .2rem } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
.sub, figcaption { color: var(--soft); margin: 0 } figure { margin: 0 }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .92rem }
th, td { text-align: start; padding: 6px 10px; border-bottom: 1px solid var(--line); vertical-align: top;
  white-space: pre-line }
td.number { white-space: pre } th { font-weight: 600; vertical-align: bottom }
.number { text-align: end; font-variant-numeric: tabular-nums }
.bar { height: 6px; border-radius: 3px; background: var(--accent); margin-top: 3px }
svg { width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: currentColor }
svg .grid { stroke: var(--line) } svg .level { stroke: var(--soft); stroke-dasharray: 6 4 }
.brand { display: flex; align-items: center; gap: .5rem; color: var(--accent); font-weight: 600; margin: 0 0 1.2rem }
.brand::before { content: ""; width: 1.1rem; height: 1.1rem; border-radius: .3rem; background: var(--accent) }
@media print { @page { margin: 18mm } :root { color-scheme: light; --line: #e3e6ef; --soft: #5b6172; --accent: #4338ca }
  body { margin: 0; max-width: none; font-size: 11pt } h2, tr, figure { break-inside: avoid; break-after: auto }
  h2 { break-after: avoid } .bar, .brand::before { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
svg .front { fill: none; stroke: var(--accent); stroke-width: 3; opacity: .5 }
"""


class Heading(View):
    text: str


class Paragraph(View):
    text: str


class BulletList(View):
    texts: list[str]


class Table(View):
    """`numbers`: columns set to the right; `bars`: column -> a share of 1 per row, None for no bar."""

    header: list[str]
    rows: list[list[str]]
    numbers: list[int] = []
    bars: dict[int, list[float | None]] = {}


class Dot(View):
    """A point of a chart, all places from 0 (left, bottom) to 1; `whisker`: lowest and highest y."""

    x: float
    y: float
    colour: str
    label: str = ""
    whisker: tuple[float, float] | None = None


class Scatter(View):
    """`line`: places of the front in order; `level`: a height that all are compared with, and its words; ticks are (place,
    words); labels stand left of their point, or right, and above it, or below."""

    title: str
    x_title: str
    y_title: str
    dots: list[Dot]
    line: list[tuple[float, float]] = []
    level: tuple[float, str] | None = None
    x_ticks: list[tuple[float, str]] = []
    y_ticks: list[tuple[float, str]] = []
    left: bool = True
    above: bool = True


Part = Heading | Paragraph | BulletList | Table | Scatter


class Report(View):
    """`brand`: who made it, at the head of the first page."""

    title: str
    subtitle: str
    lang: str
    parts: list[Part]
    brand: str = ""


def html(report: Report) -> str:
    """One file without script; the browser is told to fetch nothing."""
    body = "\n".join(_html(part) for part in report.parts)
    brand = f'<p class="brand">{escape(report.brand)}</p>\n' if report.brand else ""
    return (
        f'<!doctype html>\n<html lang="{escape(report.lang)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(report.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{brand}"
        f'<h1 dir="auto">{escape(report.title)}</h1>\n<p class="sub" dir="auto">{escape(report.subtitle)}</p>\n'
        f"{body}\n</body>\n</html>\n"
    )


def markdown(report: Report) -> str:
    parts = "\n\n".join(_markdown(part) for part in report.parts if not isinstance(part, Scatter))
    return f"# {_md(report.title)}\n\n{_md(report.subtitle)}\n\n{parts}\n"


def _html(part: Part) -> str:
    if isinstance(part, Heading):
        return f'<h2 dir="auto">{escape(part.text)}</h2>'
    if isinstance(part, Paragraph):
        return f'<p dir="auto">{escape(part.text)}</p>'
    if isinstance(part, BulletList):
        return "<ul>" + "".join(f'<li dir="auto">{escape(text)}</li>' for text in part.texts) + "</ul>"
    return _table(part) if isinstance(part, Table) else _svg(part)


def _table(table: Table) -> str:
    number = [' class="number"' if at in table.numbers else ' dir="auto"' for at in range(len(table.header))]
    head = "".join(f'<th scope="col"{number[at]}>{escape(text)}</th>' for at, text in enumerate(table.header))
    rows = []
    for line, row in enumerate(table.rows):
        cells = []
        for at, text in enumerate(row):
            share = table.bars.get(at, [None] * len(table.rows))[line]
            bar = "" if share is None else f'<div class="bar" style="width:{100 * _within(share):.1f}%"></div>'
            cells.append(f"<td{number[at]}>{escape(text)}{bar}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _svg(chart: Scatter) -> str:
    """Without its own words for screen readers: the figures stand in a table beside it."""
    floor = _HIGH - _BOTTOM
    parts = []
    for place, text in chart.x_ticks:
        x = _x(place)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{floor}"/>')
        parts.append(f'<text x="{x}" y="{floor + 18}" text-anchor="middle">{escape(text)}</text>')
    for place, text in chart.y_ticks:
        y = _y(place)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(text)}</text>')
    parts.append(f'<path class="front" d="{_front_path(chart.line)}"/>')
    parts += [*_level(chart), *map(_dot, chart.dots), *_labels(chart)]
    middle = (_LEFT + _WIDE - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HIGH - 8}" text-anchor="middle">{escape(chart.x_title)}</text>')
    parts.append(
        f'<text x="14" y="{_HIGH / 2}" text-anchor="middle" transform="rotate(-90 14 {_HIGH / 2})">'
        f"{escape(chart.y_title)}</text>"
    )
    return (
        f'<figure><svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{escape(chart.title)}">'
        f"{''.join(parts)}</svg></figure>"
    )


def _level(chart: Scatter) -> list[str]:
    if chart.level is None:
        return []
    y, end = _y(chart.level[0]), _WIDE - _RIGHT
    line = f'<line class="level" x1="{_LEFT}" x2="{end}" y1="{y}" y2="{y}"/>'
    return [line, f'<text x="{end}" y="{y + 15}" text-anchor="end">{escape(chart.level[1])}</text>']


def _dot(dot: Dot) -> str:
    x, y, colour = _x(dot.x), _y(dot.y), escape(dot.colour)
    drawn = f'<circle cx="{x}" cy="{y}" r="7" fill="{colour}" fill-opacity=".85"/>'
    if dot.whisker:
        low, high = (_y(each) for each in dot.whisker)
        drawn = f'<line x1="{x}" x2="{x}" y1="{low}" y2="{high}" stroke="{colour}"/>' + drawn
    return drawn


def _labels(chart: Scatter) -> list[str]:
    """Each at least a line away from the one before."""
    sign = -1 if chart.above else 1
    drawn, last = [], None
    for dot in sorted((dot for dot in chart.dots if dot.label), key=lambda dot: sign * _y(dot.y)):
        y = _y(dot.y) + (-10 if chart.above else 20)
        y = y if last is None else min(y, last - _LINE) if chart.above else max(y, last + _LINE)
        last = y
        x = _x(dot.x) + (-10 if chart.left else 10)
        anchor = "end" if chart.left else "start"
        drawn.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(dot.label)}</text>')
    return drawn


def _front_path(line: Sequence[tuple[float, float]]) -> str:
    """First level, then up or down: between two models of the front nobody is."""
    if not line:
        return ""
    x, y = line[0]
    return f"M{_x(x)},{_y(y)}" + "".join(f"H{_x(x)}V{_y(y)}" for x, y in line[1:])


def _x(place: float) -> float:
    return round(_LEFT + _within(place) * (_WIDE - _LEFT - _RIGHT), 1)


def _y(place: float) -> float:
    return round(_HIGH - _BOTTOM - _within(place) * (_HIGH - _TOP - _BOTTOM), 1)


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))


def _markdown(part: Heading | Paragraph | BulletList | Table) -> str:
    if isinstance(part, Heading):
        return f"## {_md(part.text)}"
    if isinstance(part, Paragraph):
        return _md(part.text)
    if isinstance(part, BulletList):
        return "\n".join(f"- {_md(text)}" for text in part.texts)
    rule = ["---:" if at in part.numbers else "---" for at in range(len(part.header))]
    lines = [[_md(text) for text in part.header], rule, *([_md(text) for text in row] for row in part.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _md(text: str) -> str:
    """Plain text on one line: no markup of others, no break of the table."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", " ".join(text.split()))
