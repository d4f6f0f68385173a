"""The part of the facade that is about projects and what was typed in them."""

from __future__ import annotations

import json
from typing import Any

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, ProjectView
from backend.core.settings import Settings
from backend.db import Store
from backend.db.projects import DEFAULT_PROJECT
from backend.files import disk
from backend.models import catalogue
from backend.models.builtin import BUILTIN

__all__ = ["DEFAULT_PROJECT", "Projects", "belongs_to"]
CHOSEN = "project.chosen"


def belongs_to(view: ArtifactView, project_id: str) -> bool:
    """Whether an artifact is one of the project's; built-in models are everybody's."""
    return view.project == project_id or view.id in _BUILTIN_IDS


_BUILTIN_IDS = frozenset(map(catalogue.builtin_id, BUILTIN))


class Projects:
    """Mixed into `backend.api.Studio`."""

    store: Store
    settings: Settings

    def projects(self) -> list[ProjectView]:
        """Oldest first; there is always one."""
        self.store.project()
        return self.store.projects()

    def project_named(self, ref: str) -> ProjectView:
        """By id, else by name. Raises StudioError when there is none."""
        every = self.projects()
        found = [each for each in every if each.id == ref] or [each for each in every if each.name == ref]
        if not found:
            raise StudioError(
                "projects.unknown", field="project", name=ref, known=", ".join(each.name for each in every)
            )
        return found[0]

    def create_project(self, name: str) -> ProjectView:
        """Raises StudioError when the name is empty, too long or taken."""
        name = _project_name(name)
        if any(project.name == name for project in self.projects()):
            raise StudioError("core.project_taken", name=name)
        return self._project(self.store.project(name))

    def rename_project(self, project_id: str, name: str) -> None:
        self.store.rename_project(project_id, _project_name(name))

    def delete_project(self, project_id: str) -> None:
        """With its runs and all that they made. Raises StudioError when something of another project needs it."""
        disk.delete_project(self.store, self.settings, project_id)

    def chosen_project(self) -> ProjectView:
        """The project that was chosen last, in any browser; else the first."""
        projects = self.projects()
        wanted = self.store.setting(CHOSEN)
        return next((project for project in projects if project.id == wanted), projects[0])

    def choose_project(self, project_id: str) -> None:
        self.store.set_setting(CHOSEN, project_id)

    def _project(self, project_id: str) -> ProjectView:
        return next(project for project in self.store.projects() if project.id == project_id)

    def draft(self, project_id: str, stage: str) -> dict[str, Any]:
        """What a form of this stage was left with in this project; {} when it was never touched."""
        kept = self.store.setting(f"draft.{project_id}.{stage}")
        return dict(json.loads(kept)) if kept else {}

    def save_draft(self, project_id: str, stage: str, values: dict[str, Any]) -> None:
        self.store.set_setting(f"draft.{project_id}.{stage}", json.dumps(values))


def _project_name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= 100:
        raise StudioError("core.project_name", field="name")
    return name
