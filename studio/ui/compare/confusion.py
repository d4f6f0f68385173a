"""The confusion matrix as a Plotly chart."""

from __future__ import annotations

from backend.results.answers import Confusion
from studio.ui.compare.charts import Figure
from studio.ui.compare.labels import truncate
from studio.ui.shared.charts import plain
from studio.ui.shared.formatting import percent
from studio.ui.shared.i18n import _

_MOST_LABELS, CROWDED, _TICK_LETTERS = 30, 12, 20
"""Labels of a confusion matrix: at most, from where on they stand upright, and letters of one at an axis."""


def confusion_chart(table: Confusion) -> Figure:
    """Rows are right labels, columns given ones; the colour is the share of the row. Labels without any row are left out,
    and beyond thirty those with the fewest."""
    size = range(len(table.labels))
    used = {at: sum(table.counts[at]) + sum(row[at] for row in table.counts) for at in size}
    kept = sorted(sorted((at for at in size if used[at]), key=lambda at: -used[at])[:_MOST_LABELS])
    counts = [[table.counts[i][j] for j in kept] for i in kept]
    labels = [plain(truncate(table.labels[at], 28)) for at in kept]
    shown = [plain(truncate(table.labels[at], _TICK_LETTERS)) for at in kept]
    axis = {
        "tickvals": list(range(len(kept))),
        "ticktext": shown,
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
    }
    crowded = len(kept) > CROWDED
    return {
        "data": [_heat(counts, labels, crowded)],
        "layout": {
            "height": 190 + max(24 * len(kept), 200),
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "dragmode": False,
            "xaxis": {
                **axis,
                "title": {"text": _("Answered"), "standoff": 12},
                "tickangle": -90 if crowded else -40,
                "automargin": True,
            },
            "yaxis": {
                **axis,
                "title": {"text": _("Correct answer"), "standoff": 12},
                "autorange": "reversed",
                "automargin": True,
            },
        },
    }


def _heat(counts: list[list[int]], labels: list[str], crowded: bool) -> Figure:
    """The cells with their numbers, and the scale of their colours."""
    return {
        "type": "heatmap",
        "z": [[count / (sum(row) or 1) for count in row] for row in counts],
        "zmin": 0,
        "zmax": 1,
        "text": [[str(count) if count else "" for count in row] for row in counts],
        "texttemplate": "%{text}",
        "textfont": {"size": 10 if crowded else 12},
        "customdata": [[[labels[i], labels[j], count] for j, count in enumerate(row)] for i, row in enumerate(counts)],
        "hovertemplate": "%{customdata[0]} → %{customdata[1]}: %{customdata[2]}<extra></extra>",
        "colorscale": [[0, "rgba(99,102,241,0.05)"], [1, "rgba(79,70,229,1)"]],
        "colorbar": {
            "thickness": 10,
            "len": 200,
            "lenmode": "pixels",
            "y": 1,
            "yanchor": "top",
            "tickvals": [0, 0.5, 1],
            "ticktext": [percent(share, 0, 0) for share in (0, 0.5, 1)],
            "outlinewidth": 0,
        },
        "xgap": 1,
        "ygap": 1,
    }
