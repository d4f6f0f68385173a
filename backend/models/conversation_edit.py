"""Another chat template or end of turn for a model that is here. Models are never changed in place, because what was made from
one names its bytes: the change is a new model whose parent is the old one, with the same weights."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from backend.core.artifacts import MANIFEST, Manifest, seal, write_json
from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.data.conversation import CONVERSATION_FILE, TEMPLATE_FILE, TEMPLATE_PLACES, read_object
from backend.data.families import FAMILIES
from backend.db import Store
from backend.models import recheck
from backend.models.catalogue import artifact_id, file_lock, register, temporary_folder
from backend.models.weights import try_model
from backend.process.explain import full_disk_told

_EDITABLE = ("torch", "adapter")


class ConversationEdit(BaseModel):
    """What is to change; "" and None leave it as it is."""

    model_config = ConfigDict(extra="forbid")

    family: str = Field("", title="Family", description="Chat template and end of turn of a known family.")
    template: Annotated[str, Field(max_length=200_000)] | None = Field(
        None, title="Chat template", description="In Jinja, as transformers reads it."
    )
    end: str = Field("", max_length=200, title="End of turn", description="The token that ends the model's turn.")
    thinking: bool | None = Field(
        None, title="Thinking", description="Whether a template that can turn thinking on or off turns it on."
    )


def is_editable(view: ArtifactView) -> bool:
    """ONNX models and packages carry what they were made with."""
    return view.kind in (Kind.MODEL, Kind.ADAPTER) and view.facts.get("format") in _EDITABLE


def try_edit(
    store: Store, settings: Settings, view: ArtifactView, edit: ConversationEdit
) -> tuple[dict[str, Any], list[Problem]]:
    """What the model does with the change (see `backend.ml.inference.trial`), and what was settled. Nothing is kept. Raises
    StudioError for a change that can't be: an invalid template, a token that the model has not."""
    with TemporaryDirectory(dir=settings.prepare().cache, prefix="try-") as work:
        folder = Path(work, "model")
        folder.mkdir()
        _write(view, edit, folder)
        return try_model(folder, recheck.base_of(store, view), Path(work))


def keep_edit(
    store: Store, settings: Settings, view: ArtifactView, edit: ConversationEdit, name: str = ""
) -> ArtifactView:
    """The change as a new model called `name`, by default as the old one with the next free number. Tried first, as in
    `try_edit`."""
    base = recheck.base_of(store, view)
    with temporary_folder(settings.prepare(), "edit") as folder:
        _write(view, edit, folder)
        trial, told = try_model(folder, base, folder.parent)
        changed = [file for file in sorted(folder.iterdir()) if not file.name.endswith(".safetensors")]
        id_ = artifact_id(view.kind, name or view.name, changed, view.id)
        target = settings.artifacts / view.kind / id_
        facts = {**view.facts, "trial": trial, "taken": [each.model_dump(mode="json") for each in told]}
        with file_lock(settings.cache / "import.lock"):
            if not (target / MANIFEST).is_file():
                manifest = Manifest(
                    id=id_,
                    kind=view.kind,
                    name=name.strip() or store.free_name(view.kind, view.name, id_),
                    params={"conversation": edit.model_dump(mode="json", exclude_defaults=True)},
                    parents=[view.id, *([base.id] if base else [])],
                    facts=facts,
                    license=view.license,
                )
                seal(folder, target, manifest)
            return register(store, target, view.project)


def _write(view: ArtifactView, edit: ConversationEdit, folder: Path) -> None:
    """The model's files in `folder` with the change; the large ones are links to the same bytes."""
    if not is_editable(view):
        raise StudioError("talk.not_editable", model=view.name)
    family = next((each for each in FAMILIES if each.name == edit.family), None)
    if edit.family and family is None:
        raise StudioError("talk.family", family=edit.family, known=", ".join(each.name for each in FAMILIES))
    template = edit.template if edit.template is not None else family.template if family else None
    end = edit.end or (family.end if family else "")
    if template is None and not end and edit.thinking is None:
        raise StudioError("talk.no_change")
    with full_disk_told(folder):
        _copy(view.path, folder)
        if template is not None:
            _replace_template(folder, template)
        own = read_object(folder / CONVERSATION_FILE)
        own |= {"end": end} if end else {}
        own |= {} if edit.thinking is None else {"thinking": edit.thinking}
        write_json(folder / CONVERSATION_FILE, own)


def _replace_template(folder: Path, template: str) -> None:
    """One place holds it then."""
    for place in TEMPLATE_PLACES:
        if (folder / place).is_dir():
            shutil.rmtree(folder / place)
        (folder / place).unlink(missing_ok=True)
    config = read_object(folder / "tokenizer_config.json")
    if config.pop("chat_template", None) is not None:
        write_json(folder / "tokenizer_config.json", config)
    (folder / TEMPLATE_FILE).write_text(template, encoding="utf-8")


def _copy(source: Path, folder: Path) -> None:
    for file in sorted(source.rglob("*")):
        if not file.is_file() or file.name == MANIFEST:
            continue
        target = folder / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix != ".safetensors" or not _linked(file, target):
            shutil.copyfile(file, target)


def _linked(file: Path, target: Path) -> bool:
    """Whether the file system has links."""
    try:
        os.link(file, target)
    except OSError:
        return False
    return True
