"""The trained model behind a poor result, which the stage `diagnose` can examine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from backend.core.schemas import ArtifactView, JobView
from backend.core.stage import ArtifactInfo
from backend.data.baseline_scores import stored_baseline
from backend.stages.diagnosed import training_of

_TRAINING = ("finetune", "distill", "from_checkpoint")


def poor_model(jobs: Iterable[JobView], artifacts: Sequence[ArtifactView]) -> ArtifactView | None:
    """What a training left that these jobs say nothing good of: its own findings or hints, those of an evaluation of it or of
    its export, or a quick baseline that is as good. None where there is none, or it can't be trained again to try it."""
    known = {view.id: view for view in artifacts}
    for job in jobs:
        made = known.get(job.result.get("artifact", ""))
        if made is None or not _is_poor(job, made):
            continue
        model = known.get(str(made.facts.get("model"))) if job.stage == "evaluate" else made
        for view in [model, *(known.get(parent) for parent in (model.parents if model else []))]:
            if view and training_of(ArtifactInfo(view.kind, view.facts, path=str(view.path))):
                return view
    return None


def _is_poor(job: JobView, made: ArtifactView) -> bool:
    if job.stage in _TRAINING:
        return bool(job.findings or job.hints)
    compared = stored_baseline(made.facts)
    return job.stage == "evaluate" and (bool(job.findings) or (compared is not None and compared.beaten is False))
