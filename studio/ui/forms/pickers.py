"""What a form can choose from: artifacts of the studio as options with words."""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import Any

from backend.api.forms import form_of
from backend.api.projects import LEFT_OUT, belongs_to
from backend.core.refs import RefTo
from backend.core.schemas import ArtifactView, JobView, Kind, RunView
from studio.ui.shared import api_cache, scope
from studio.ui.shared.formatting import format_size, kind_name
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project, project_label
from studio.ui.shared.project_progress import ablation_artifacts, latest_jobs, own_runs

ANSWERED = frozenset({"review", "curate", "judge", "teacher"})


MAX_CANDIDATES = 3
"""Models that an audition proposes as candidates."""


OTHERS = "from other projects"
"""The option that stands for all of other projects; chosen, they take its place."""


def choices(mark: RefTo) -> dict[str, str]:
    """id -> label of what `mark` allows of the project, last what its ablations compare; built-in models that are not imported
    yet stand under their name; OTHERS comes last, where others have something."""
    tried = ablation_artifacts(project().id)
    own, others = scope.split(api_cache.artifacts(mark.kinds))
    options = {view.id: label(view) for view in sorted(own, key=lambda view: view.id in tried)}
    if Kind.MODEL in mark.kinds:
        for name in api_cache.missing_builtins():
            options[name] = f"{name} · {_('built in')}"
    return disambiguate(options) | ({OTHERS: _("From other projects…")} if others else {})


def with_others(options: dict[str, str], mark: RefTo) -> dict[str, str]:
    """The same options with those of other projects at the end, each with the name of its project."""
    others = scope.split(api_cache.artifacts(mark.kinds))[1]
    kept = {value: words for value, words in options.items() if value != OTHERS}
    return disambiguate(kept | {view.id: label(view) for view in others})


def endpoint_choices() -> dict[str, str]:
    """name -> label of the saved endpoints."""
    return {each.name: f"{each.name} · {each.model}" for each in api_cache.endpoints()}


def disambiguate(options: dict[str, str]) -> dict[str, str]:
    """The same options with the end of its id behind every label that stands there twice: the browser sends labels, and
    of two equal ones it would mean the last."""
    times = Counter(options.values())
    return {value: f"{words} · {value[-5:]}" if times[words] > 1 else words for value, words in options.items()}


def label(view: ArtifactView) -> str:
    """`support-int4 · ONNX model · INT4 · 83.1 MB · Other project`."""
    parts = [view.name, kind_name(view.kind)]
    if view.kind is Kind.ONNX and view.facts.get("precision"):
        parts.append(str(view.facts["precision"]).upper())
    if view.facts.get(LEFT_OUT):
        parts.append(_("without weights"))
    if view.facts.get("run") is False:
        parts.append(_("not run here"))
    rows = view.facts.get("rows")
    if isinstance(rows, dict):
        parts.append(ngettext("{n} row", "{n} rows", sum(rows.values())))
    elif view.kind not in (Kind.EVALUATION, Kind.AUDITION, Kind.REPORT):
        parts.append(format_size(view.size_bytes))
    if not belongs_to(view, project().id):
        parts += [project_label(each) for each in api_cache.projects() if each.id == view.project]
    return " · ".join(parts)


def preferred(stage: str, field: str, options: list[str], runs: list[RunView]) -> str:
    """The option to begin with: the newest result of the stages that usually come before (of those that answer or filter the
    newest of all), else the first; "" for none.
    Where the project's model is asked for, also what an ablation made counts."""
    form = form_of(stage)
    names = form.offers.get(field, ())
    if field == "model" and form.takes_project_model and (found := _latest_result(names, options)):
        return found
    groups = (
        [ANSWERED.intersection(names), *({name} for name in names)] if "review" in names else [{each} for each in names]
    )
    for group in groups:
        jobs = [job for name in group for job in latest_jobs(runs, name)]
        for job in sorted(jobs, key=lambda job: job.created, reverse=True):
            made = job.result.get("artifact")
            if job.state.finished and made in options:
                return str(made)
    return options[0] if options else ""


def _latest_result(names: tuple[str, ...], options: list[str]) -> str:
    """Of the first of these stages that left anything: the newest that somebody made by itself, else of the newest recipe
    the one with the lowest loss on the validation rows. "" for none."""
    runs = api_cache.project_runs(project().id)

    def there(run: RunView, stage: str) -> list[JobView]:
        done = [job for job in run.jobs if job.stage == stage and job.state.finished]
        return [job for job in done if job.result.get("artifact") in options]

    for name in names:
        alone = [job for run in runs if len(run.jobs) == 1 for job in there(run, name)]
        if alone:
            return str(max(alone, key=lambda job: job.created).result["artifact"])
        for run in runs:
            if found := there(run, name):
                losses = _losses(run)
                return str(min(found, key=lambda job: losses[job.id]).result["artifact"])
    return ""


def _losses(run: RunView) -> dict[str, float]:
    """Job id -> loss on the validation rows: of what it made, or, where none was measured, of the model from which it made
    it. A student that has its own is not judged by its teacher, which may be among its parents."""
    found = {}
    tuned = {job.result.get("artifact"): job.result.get("metrics", {}).get("eval_loss") for job in run.jobs}
    parents = {view.id: view.parents for view in api_cache.artifacts()}
    for job in run.jobs:
        made = str(job.result.get("artifact"))
        own = tuned.get(made)
        known = [tuned.get(id_) for id_ in parents.get(made, ())] if own is None else [own]
        found[job.id] = min((loss for loss in known if loss is not None), default=inf)
    return found


def suggested(stage: str, values: dict[str, Any]) -> dict[str, Any]:
    """Values to begin with that depend on what was chosen: a student of a fifth of the layers (30 -> 6 was measured in the
    quick start), and the newest capture of its dataset; a teacher answers the training rows of a dataset that has no pool;
    an audition hears the newest models; new inputs and scores come from a model as it was brought, for one that was tuned
    here on labels writes nothing else; an adapter is attached to a model with room for it and compared on its own dataset; a
    search of quantizations starts with what `quantize` does; a package shows the newest evaluation of its model and the
    newest report of each kind about it."""
    if stage == "audition":
        tried = ablation_artifacts(project().id)
        there = scope.own((Kind.MODEL, Kind.ADAPTER, Kind.ONNX))
        mine = [view.id for view in there if view.project == project().id and view.id not in tried]
        return {"models": mine[:MAX_CANDIDATES]}
    if stage == "capture":
        return _teacher_of(values.get("data") or "")
    facts = {view.id: view.facts for view in api_cache.artifacts()}
    if stage == "attach":
        adapter = facts.get(values.get("adapter") or "", {})
        own = adapter.get("data")
        return {"model": _with_adapter_slots(adapter.get("base"))} | ({"data": own} if own in facts else {})
    if stage == "package":
        about = [view for view in scope.own((Kind.REPORT,)) if view.facts.get("model") == values.get("model")]
        latest = {view.facts.get("report"): view.id for view in reversed(about)}
        scores = scope.own((Kind.EVALUATION,))
        newest = [view.id for view in scores if view.facts.get("model") == values.get("model")][:1]
        return {"reports": list(latest.values()), "evaluations": newest}
    if stage == "prune" and (layers := facts.get(values.get("model") or "", {}).get("layers")):
        return {"keep_layers": max(1, layers // 5)}
    if stage == "distill":
        return _capture_of(values.get("data")) | _teacher_of(values.get("data") or "")
    if stage == "search" and values.get("stage") == "quantize":
        options = [view.id for view in scope.own((Kind.MODEL, Kind.ADAPTER))]
        latest_model = preferred("quantize", "model", options, own_runs(project().id))
        return {"model": latest_model} if latest_model else {}
    if stage == "teacher" and (rows := facts.get(values.get("data") or "", {}).get("rows")) and not rows.get("pool"):
        return {"splits": ["train"]}
    if stage == "ablation" and (gold := api_cache.studio().gold_of(values.get("data") or "")):
        return {"gold": gold.id}
    if stage in ("generate", "judge"):
        brought = [view.id for view in scope.own((Kind.MODEL,)) if not view.job_id]
        return {"model": found[0]} if (found := [*brought, *api_cache.missing_builtins()]) else {}
    return {}


def _with_adapter_slots(base: str | None) -> str | None:
    """The project's newest ONNX model with room for adapters of this model; None for none."""
    fits = [view for view in scope.own((Kind.ONNX,)) if base and view.facts.get("room_for") == base]
    return next((view.id for view in fits), None)


def _teacher_of(data: str) -> dict[str, Any]:
    """Whoever answered the dataset, else the newest tuned model."""
    found = api_cache.studio().teacher_of(data) if data else None
    if found and found.kind in (Kind.MODEL, Kind.ADAPTER):
        return {"teacher": found.id}
    options = [view.id for view in scope.own((Kind.MODEL, Kind.ADAPTER)) if view.job_id]
    tuned = preferred("capture", "teacher", options, own_runs(project().id))
    return {"teacher": tuned} if tuned else {}


def _capture_of(data: str | None) -> dict[str, Any]:
    mine = scope.own((Kind.CAPTURE,))
    return next(
        ({"method": "offline_logit", "capture": view.id} for view in mine if view.facts.get("data") == data), {}
    )
