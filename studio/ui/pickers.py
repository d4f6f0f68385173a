"""What a form can choose from: artifacts of the studio as options with words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from backend.schemas import ArtifactView, Kind, RunView, State
from backend.stages.base import RefTo
from studio.ui import source
from studio.ui.chain import latest
from studio.ui.i18n import _, ngettext
from studio.ui.project import project, project_words
from studio.ui.words import size

PREFERRED = {
    ("teacher", "model"): ("finetune", "distill"),
    ("generate", "data"): ("dataset",),
    ("teacher", "data"): ("generate", "dataset"),
    ("judge", "data"): ("teacher", "dataset"),
    ("curate", "data"): ("judge", "teacher", "dataset"),
    ("distill", "student"): ("finetune",),
    ("distill", "data"): ("curate", "judge", "teacher", "dataset"),
    ("finetune", "data"): ("dataset",),
    ("quantize", "model"): ("distill", "finetune"),
    ("package", "model"): ("quantize",),
    ("evaluate", "model"): ("quantize", "distill", "finetune"),
    ("evaluate", "data"): ("dataset",),
}
"""Which stage's newest result a form offers first; earlier stages win."""


def choices(mark: RefTo) -> dict[str, str]:
    """id -> label of all artifacts that `mark` allows, those of the project first; built-in models that are not imported
    yet stand under their name."""
    mine = project().id
    found = sorted(source.artifacts(mark.kinds), key=lambda view: view.project != mine)
    options = {view.id: label(view) for view in found}
    if Kind.MODEL in mark.kinds:
        for name in source.missing_builtins():
            options[name] = f"{name} · {_('built in')}"
    return distinct(options)


def distinct(options: dict[str, str]) -> dict[str, str]:
    """The same options with the end of its id behind every label that stands there twice: the browser sends labels, and
    of two equal ones it would mean the last."""
    times = Counter(options.values())
    return {value: f"{words} · {value[-5:]}" if times[words] > 1 else words for value, words in options.items()}


def label(view: ArtifactView) -> str:
    """`support-int4 · ONNX model · INT4 · 83.1 MB · Other project`."""
    parts = [view.name, _kind(view.kind)]
    if view.kind is Kind.ONNX and view.facts.get("precision"):
        parts.append(str(view.facts["precision"]).upper())
    rows = view.facts.get("rows")
    if isinstance(rows, dict):
        parts.append(ngettext("{n} row", "{n} rows", sum(rows.values())))
    elif view.kind is not Kind.EVALUATION:
        parts.append(size(view.size_bytes))
    if view.job_id and view.project != project().id:  # what was imported belongs to all
        parts += [project_words(each) for each in source.projects() if each.id == view.project]
    return " · ".join(parts)


def preferred(stage: str, field: str, options: list[str], runs: list[RunView]) -> str:
    """The option to begin with: the newest result of the stages that usually come before, else the first; "" for none."""
    for name in PREFERRED.get((stage, field), ()):
        for job in latest(runs, name):
            made = job.result.get("artifact")
            if job.state is State.SUCCEEDED and made in options:
                return str(made)
    return options[0] if options else ""


def suggested(stage: str, values: dict[str, Any]) -> dict[str, Any]:
    """Values to begin with that depend on what was chosen: a student of a fifth of the layers (30 -> 6 was measured in the
    quick start); a teacher answers the training rows of a dataset that has no pool; new inputs and scores come from a
    model as it was brought, for one that was tuned here on labels writes nothing else."""
    facts = {view.id: view.facts for view in source.artifacts()}
    if stage == "distill" and (layers := facts.get(values.get("student") or "", {}).get("layers")):
        return {"keep_layers": max(1, layers // 5)}
    if stage == "teacher" and (rows := facts.get(values.get("data") or "", {}).get("rows")) and not rows.get("pool"):
        return {"splits": ["train"]}
    if stage in ("generate", "judge"):
        brought = [view.id for view in source.artifacts((Kind.MODEL,)) if not view.job_id]
        return {"model": found[0]} if (found := [*brought, *source.missing_builtins()]) else {}
    return {}


def _kind(kind: Kind) -> str:
    return {
        Kind.DATASET: _("dataset"),
        Kind.MODEL: _("model"),
        Kind.ADAPTER: _("adapter"),
        Kind.ONNX: _("ONNX model"),
        Kind.EVALUATION: _("evaluation"),
        Kind.PACKAGE: _("package"),
    }[kind]
