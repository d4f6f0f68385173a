"""What the steps of a run are called where a stage is there more than once: by what each works on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from backend.core.refs import reference_id
from backend.core.schemas import JobView
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import stage_label

_SUBJECTS = ("model", "teacher", "endpoint", "package", "data", "source")
"""Parameters that say what a step works on, the most telling first."""


def step_names(jobs: Sequence[JobView]) -> dict[str, str]:
    """Id of a step -> its name, as plain text: `Fine-tune`, `Evaluate · Quantize`."""
    subjects = step_subjects(jobs)
    return {job.stage_id: " · ".join(filter(None, (stage_label(job.stage), subjects[job.stage_id]))) for job in jobs}


def step_subjects(jobs: Sequence[JobView]) -> dict[str, str]:
    """Id of a step -> what it works on, as plain text; "" for a stage that is there once. The id itself, which the recipe's
    author chose, where that does not tell two apart."""
    stages = {job.stage_id: job.stage for job in jobs}
    several = {stage for stage, count in Counter(stages.values()).items() if count > 1}
    if not several:
        return dict.fromkeys(stages, "")
    models = {view.id: view.name for view in api_cache.artifacts()}
    found = {job.stage_id: _subject(job, stages, models) if job.stage in several else "" for job in jobs}
    often = Counter((stages[id_], subject) for id_, subject in found.items())
    alike = {
        id_ for id_, said in found.items() if stages[id_] in several and (not said or often[stages[id_], said] > 1)
    }
    return {id_: id_ if id_ in alike else said for id_, said in found.items()}


def _subject(job: JobView, stages: Mapping[str, str], names: Mapping[str, str]) -> str:
    for name in _SUBJECTS:
        value = job.params.get(name)
        if isinstance(value, str) and value:
            step = reference_id(value)
            return stage_label(stages.get(step, step)) if step is not None else names.get(value) or PurePath(value).name
    return ""
