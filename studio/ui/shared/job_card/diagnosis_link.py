"""The way to the diagnosis of a training that a job says nothing good of."""

from __future__ import annotations

from backend.api.diagnosis import poor_model
from backend.core.schemas import JobView
from studio.nav import FINETUNE
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.i18n import _


def diagnosis_link(*jobs: JobView) -> None:
    """To the form with the trained model chosen, which says what it will take; nothing where no result is poor."""
    finished = [job for job in jobs if job.state.finished]
    if finished and (model := poor_model(finished, api_cache.artifacts())):
        query = {"step": "diagnose", "model": model.id}
        page_link(FINETUNE.path, label=_("Diagnose the training"), icon=":material/troubleshoot:", query_params=query)
