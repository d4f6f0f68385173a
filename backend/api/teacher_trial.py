"""The part of the facade that tries a teacher on a few rows before anybody pays for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backend.core.endpoints import EndpointView
from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.db import Store
from backend.jobs.resolve import job_keys

if TYPE_CHECKING:
    from backend.generation.try_rows import Trial

TRIED_ROWS = 5


class TeacherTrial:
    """Mixed into `backend.api.Studio`."""

    store: Store
    settings: Settings

    def try_teacher(self, raw: dict[str, Any]) -> Trial:
        """Ask an endpoint for the first five rows, with the parameters of the teacher stage. Takes seconds and costs what
        five requests cost; keeps nothing. Raises StudioError, also when personal data would leave undecided."""
        from backend.data.dataset import DataFolder
        from backend.generation.privacy import leaving, rows_to_send
        from backend.generation.try_rows import try_rows
        from backend.stages.teacher import STAGE, rows_to_ask, teacher_messages

        params = STAGE.parse(raw)
        saved: EndpointView | None = self.store.find_endpoint(params.endpoint) if params.endpoint else None
        if params.model or not (saved or params.endpoint_url):
            raise StudioError("teacher.try_endpoint")
        view = self.store.artifact(params.data)
        data = DataFolder(view.path)
        rows = rows_to_ask(params, data, TRIED_ROWS)
        if not rows:
            raise StudioError("chat.no_rows", ref=view.name, splits=", ".join(params.splits))
        away = bool(leaving(params, self.store.find_endpoint))
        sent = rows_to_send(params.personal_data, away, rows, data.template, view.name, lambda *_: None)
        key = job_keys(self.store, self.settings, [params.endpoint]).get(params.endpoint, "") if saved else ""
        return try_rows(params, saved, key, data, [teacher_messages(params, data.template, row) for row in sent])
