"""How long the rows of a dataset are in tokens, with the line at which they are truncated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.ui.shared.formatting import number
from studio.ui.shared.i18n import _

INSIDE, OUTSIDE = "#4f6bed", "#d97706"
"""Blue and amber are told apart in every kind of colour blindness; what lies beyond the line is hatched as well."""


def length_chart(edges: Sequence[float], counts: Sequence[int], limit: int) -> dict[str, Any]:
    """A histogram; `edges`: one more than `counts`."""
    bins = list(zip(edges[:-1], edges[1:], counts, strict=True))
    beyond = [low >= limit for low, _high, _count in bins]
    texts = [
        _("{low} to {high} tokens: {n}").format(low=number(low), high=number(high), n=number(count))
        for low, high, count in bins
    ]
    reach = max([edges[-1], limit * 1.04]) if len(edges) else limit
    axis = {"gridcolor": "rgba(128,132,150,0.22)", "zeroline": False, "fixedrange": True, "automargin": True}
    return {
        "data": [
            {
                "type": "bar",
                "x": [(low + high) / 2 for low, high, _count in bins],
                "y": list(counts),
                "width": [max(high - low, 1) * 0.94 for low, high, _count in bins],
                "hovertext": texts,
                "hovertemplate": "%{hovertext}<extra></extra>",
                "marker": {
                    "color": [OUTSIDE if far else INSIDE for far in beyond],
                    "pattern": {
                        "shape": ["/" if far else "" for far in beyond],
                        "fillmode": "overlay",
                        "fgopacity": 0.5,
                    },
                },
            }
        ],
        "layout": {
            "height": 260,
            "margin": {"l": 8, "r": 8, "t": 28, "b": 8},
            "dragmode": False,
            "bargap": 0,
            "showlegend": False,
            "xaxis": {**axis, "title": {"text": _("Tokens per row")}, "range": [0, reach]},
            "yaxis": {**axis, "title": {"text": _("Rows")}},
            "shapes": [
                {"type": "line", "x0": limit, "x1": limit, "y0": 0, "y1": 1, "yref": "paper"}
                | {"line": {"color": OUTSIDE, "width": 2, "dash": "dash"}}
            ],
            "annotations": [
                # Inside the plot: above it, on the right, is the button that saves a picture.
                {"x": limit, "y": 0.98, "yref": "paper", "yanchor": "top", "showarrow": False}
                | {
                    "xanchor": "right" if limit > 0.5 * reach else "left",
                    "xshift": -6 if limit > 0.5 * reach else 6,
                    "text": _("limit {n}").format(n=number(limit)),
                }
            ],
        },
    }
