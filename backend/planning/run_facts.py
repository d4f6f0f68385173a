"""What tells runs apart: the parameters that were changed, what went in, what came out, which stage follows which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic_core import PydanticUndefined

from backend import stages
from backend.core.refs import leaves, ref_fields, referenced_ids
from backend.core.schemas import ArtifactView, JobView, Kind, RunView, View

_UNTOLD = frozenset({"name", "force"})
"""Parameters that change no result."""


class Flow(View):
    """One stage in the graph of a run. `column`: how many stages have to end before it at least, from 0; `row`: its place
    among those of its column; `after`: the stage ids that it takes something from."""

    stage_id: str
    column: int
    row: int
    after: list[str]


def changed_params(stage: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that differ from their defaults, those first that stand open in the form; no references to artifacts, no
    names, none that has no effect beside the others."""
    if stage not in stages.names():
        return {}
    form = stages.stage(stage)
    idle = form.inactive(params) if set(form.params.model_fields) <= set(params) else set()
    defaults, refs = _defaults(stage), ref_fields(form.params)
    order = sorted(defaults, key=lambda name: name not in form.open)
    return {
        name: params[name]
        for name in order
        if name in params and name not in refs | idle | _UNTOLD and params[name] != defaults[name]
    }


@cache
def _defaults(stage: str) -> dict[str, Any]:
    """Of every field; a field that has none is never equal to it."""
    found = {}
    for name, info in stages.stage(stage).params.model_fields.items():
        value = info.get_default(call_default_factory=True)
        found[name] = value if value is PydanticUndefined else _plain(value)
    return found


def _plain(value: Any) -> Any:
    """As JSON has it, which is what a job row holds."""
    return list(value) if isinstance(value, tuple) else getattr(value, "value", value)


def inputs(run: RunView, known: Mapping[str, ArtifactView]) -> list[ArtifactView]:
    """What the run took and did not make, each once: datasets first."""
    made = {view.id for view in outputs(run, known.values())}
    ids = dict.fromkeys(value for job in run.jobs for value in leaves(job.params) if isinstance(value, str))
    found = [known[id_] for id_ in ids if id_ in known and id_ not in made]
    return sorted(found, key=lambda view: view.kind is not Kind.DATASET)


def outputs(run: RunView, artifacts: Iterable[ArtifactView]) -> list[ArtifactView]:
    """What its jobs made, in the order of the stages."""
    order = {job.id: at for at, job in enumerate(run.jobs)}
    results = {job.result.get("artifact"): at for at, job in enumerate(run.jobs) if job.result.get("artifact")}
    found = [(order.get(view.job_id or "", results.get(view.id)), view) for view in artifacts]
    return [
        view for _at, view in sorted(((at, view) for at, view in found if at is not None), key=lambda pair: pair[0])
    ]


def flow(run: RunView) -> list[Flow]:
    """The stages as a graph, in the order of the run. What a stage names or needs comes before it; of two that come before it,
    one after the other, only the later is named."""
    columns: dict[str, int] = {}
    above: dict[str, set[str]] = {}
    ids = {job.stage_id for job in run.jobs}
    made = {job.result["artifact"]: job.stage_id for job in run.jobs if job.result.get("artifact")}
    found = []
    for job in run.jobs:
        after = sorted(_before(job, made) & ids - {job.stage_id}, key=lambda id_: columns.get(id_, 0))
        after = [id_ for id_ in after if id_ in columns]
        above[job.stage_id] = {*after, *(each for id_ in after for each in above[id_])}
        after = [id_ for id_ in after if not any(id_ in above[other] for other in after)]
        columns[job.stage_id] = 1 + max((columns[id_] for id_ in after), default=-1)
        found.append((job.stage_id, after))
    rows = _rows(dict(found), columns)
    return [Flow(stage_id=id_, column=columns[id_], row=rows[id_], after=after) for id_, after in found]


def _rows(after: Mapping[str, list[str]], columns: Mapping[str, int]) -> dict[str, int]:
    """Places within the columns, so that lines cross little: each near the middle of those that it comes after."""
    rows: dict[str, int] = {}
    for column in range(1 + max(columns.values(), default=-1)):
        mine = [id_ for id_ in after if columns[id_] == column]
        middles = {id_: sum(rows[each] for each in after[id_]) / max(len(after[id_]), 1) for id_ in mine}
        for row, id_ in enumerate(sorted(mine, key=middles.__getitem__)):
            rows[id_] = row
    return rows


def _before(job: JobView, made: Mapping[str, str]) -> set[str]:
    """Stage ids that a job takes something from, whether its parameters are resolved by now or not."""
    named = {made[value] for value in leaves(job.params) if isinstance(value, str) and value in made}
    return {*job.needs, *referenced_ids(job.params), *named}
