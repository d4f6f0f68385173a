"""The part of the facade that is about projects and what was typed in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, ProjectView
from backend.core.settings import Settings
from backend.db import Store
from backend.db.projects import DEFAULT_PROJECT
from backend.files import project_export, project_import, trash
from backend.files.project_export import Contents
from backend.files.project_file import LEFT_OUT, SUFFIX
from backend.files.project_import import Progress
from backend.files.uploads import safe_name
from backend.models import catalogue
from backend.models.builtin import BUILTIN

__all__ = ["DEFAULT_PROJECT", "LEFT_OUT", "SUFFIX", "Projects", "belongs_to"]
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
            self._refuse_trashed(ref)
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
        """Move a project to the trash with its runs and all that they made; built-in models stay, in another one. Raises
        StudioError while a run of it is at work, when something of another project needs it, and for the last one."""
        trash.discard_project(self.store, self._project(project_id).id, _BUILTIN_IDS)

    def trashed_projects(self) -> list[ProjectView]:
        """Those in the trash, oldest first; `restore` brings them back."""
        return self.store.projects(trashed=True)

    def project_contents(self, project_id: str, weights: bool = True) -> Contents:
        """What an export of a project takes. Raises StudioError when something of it is damaged."""
        return project_export.contents(self.store, self._project(project_id), weights)

    def project_file_name(self, project_id: str) -> str:
        return f"{safe_name(self._project(project_id).name)}{SUFFIX}"

    def export_project(self, taken: Contents) -> Iterator[bytes]:
        """The project as one zip file, in pieces of about a megabyte."""
        return project_export.export(self.store, taken)

    def import_project(self, path: Path, name: str = "", progress: Progress = lambda done, total: None) -> ProjectView:
        """A project from such a file; `progress` is told bytes done and in all, and may raise StudioError to stop. Raises
        StudioError for a file that can't be taken; then nothing of it stays."""
        return self._project(project_import.import_project(self.store, self.settings, path, name, progress))

    def chosen_project(self) -> ProjectView:
        """The project that was chosen last, in any browser; else the first."""
        projects = self.projects()
        wanted = self.store.setting(CHOSEN)
        return next((project for project in projects if project.id == wanted), projects[0])

    def choose_project(self, project_id: str) -> None:
        self.store.set_setting(CHOSEN, project_id)

    def _project(self, project_id: str) -> ProjectView:
        found = next((project for project in self.store.projects() if project.id == project_id), None)
        if found is None:
            self._refuse_trashed(project_id)
            known = ", ".join(project.name for project in self.store.projects())
            raise StudioError("projects.unknown", field="project", name=project_id, known=known)
        return found

    def _refuse_trashed(self, ref: str) -> None:
        for each in self.store.projects(trashed=True):
            if ref in (each.id, each.name):
                raise StudioError("projects.in_trash", field="project", name=each.name)

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
