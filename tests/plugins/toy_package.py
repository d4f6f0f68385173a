"""A package of somebody else's, as an installation would leave it: a module and its entry points. Made by `install`."""

from __future__ import annotations

from pathlib import Path

MODULE = '''"""A stage and a metric that the studio knows nothing of."""

from pydantic import Field

from backend.core.refs import DatasetRef
from backend.core.schemas import Kind, Quote
from backend.core.stage import Params, Result, Stage, check_refs
from backend.stats.metrics import Metric


class ToyParams(Params):
    data: DatasetRef = Field(title="Toy dataset", description="What the toy looks at.")
    shine: int = Field(3, ge=0, le=9, title="Shine", description="How much the toy shines.")


def run(params, ctx):
    view = ctx.input(params.data)
    out = ctx.scratch("out")
    (out / "toy.json").write_text("{}", encoding="utf-8")
    made = ctx.artifact(Kind.REPORT, "toy", out, facts={"report": "toy", "shine": params.shine}, parents=[view.id])
    return Result(artifact=made.id, metrics={"brevity": 0.5})


STAGE = Stage(
    name="toy",
    title="Play with the toy",
    page="quantize",
    open=("data",),
    offers={"data": ("dataset",)},
    kind=Kind.REPORT,
    params=ToyParams,
    result=Result,
    check=check_refs,
    quote=lambda params, world: Quote(seconds=1, memory_bytes=1, disk_bytes=1),
    run=run,
    example={"data": "${data}"},
)
METRIC = Metric(
    "brevity",
    "Brevity",
    "share",
    "higher",
    ("label", "text"),
    lambda answers: sum(len(text) < 8 for text in answers.given) / len(answers.given),
)
'''
ENTRY_POINTS = """[slmops.stages]
toy = slmops_toy:STAGE

[slmops.metrics]
brevity = slmops_toy:METRIC
"""


def install(folder: Path) -> Path:
    """Lay the package into `folder`, which belongs on the module search path."""
    about = folder / "slmops_toy-0.1.dist-info"
    about.mkdir(parents=True)
    (folder / "slmops_toy.py").write_text(MODULE, encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: slmops-toy\nVersion: 0.1\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    return folder
