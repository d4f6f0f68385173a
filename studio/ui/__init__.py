"""What pages are made of. Every component draws itself; those that ask for something return the answer."""

from __future__ import annotations

from importlib import import_module


def preload() -> None:
    """Import what the first page needs, so that nobody waits for it."""
    for name in (
        "pandas",
        "plotly.graph_objs",
        "babel.dates",
        "babel.numbers",
        "studio.ui.home.page",
        "studio.ui.jobs.page",
        "studio.ui.jobs.run_page",
    ):
        import_module(name)
