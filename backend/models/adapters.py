"""LoRA adapters that PEFT or Olive saved: a folder with adapter_config.json and adapter_model.safetensors, whose base is here.

The adapter keeps its base's tokenizer, which its weights were trained for. Layout of the folder:
https://huggingface.co/docs/peft/developer_guides/checkpoint
"""

from __future__ import annotations

import re
import shutil
from math import prod
from pathlib import Path, PurePath
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from backend.core.artifacts import MANIFEST, Manifest, seal
from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.db import Store
from backend.models.catalogue import artifact_id, file_lock, register, temporary_folder
from backend.models.file_shapes import checked
from backend.models.probe import LEGAL_FILES, TOKENIZER_FILES, Header, read_header, read_json, weight_files

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_LORA = re.compile(r"^(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<side>[AB])(?:\.\w+)?\.weight$")


class _AdapterConfig(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())

    peft_type: Annotated[str, Field(max_length=100)] = ""
    base_model_name_or_path: Annotated[str, Field(max_length=1_000)] | None = None
    r: Annotated[int, Field(ge=1, le=65_536)] = 8


def adapter_folder(path: Path) -> Path | None:
    """The folder in `path` that holds an adapter: itself, or `adapter`, where Olive puts it; None when there is none."""
    return next((each for each in (path, path / "adapter") if (each / CONFIG).is_file()), None)


def import_adapter(
    store: Store, settings: Settings, folder: Path, name: str, project: str | None = None, base: str = ""
) -> ArtifactView:
    """The adapter in `folder` as an artifact called `name`, on the model `base`, else on the one that its configuration names.

    Raises StudioError when it is no LoRA adapter, its weights are missing or damaged, or no model here fits it.
    """
    if not name.strip():
        raise StudioError("models.name_empty")
    config = checked(folder, CONFIG, read_json(folder, CONFIG), _AdapterConfig)
    if config.peft_type != "LORA":
        raise StudioError("adapters.kind", path=folder, kind=config.peft_type or "–")
    if not (folder / WEIGHTS).is_file():
        raise StudioError("adapters.weights", path=folder)
    view = _base(store, base or config.base_model_name_or_path or "", bool(base))
    tensors = read_header(folder / WEIGHTS)
    _check_fit(tensors, view)
    settings.prepare()
    files = [folder / each for each in (CONFIG, WEIGHTS, "README.md", *LEGAL_FILES) if (folder / each).is_file()]
    target = settings.artifacts / Kind.ADAPTER / artifact_id(Kind.ADAPTER, name, files, view.id)
    with file_lock(settings.cache / "import.lock"):
        if not (target / MANIFEST).is_file():
            with temporary_folder(settings, target.name) as made:
                for file in [*(view.path / each for each in (*TOKENIZER_FILES, *LEGAL_FILES)), *files]:
                    if file.is_file():
                        shutil.copyfile(file, made / file.name)
                seal(made, target, _manifest(target.name, name, view, tensors))
        return register(store, target, project)


def _manifest(id_: str, name: str, base: ArtifactView, tensors: Header) -> Manifest:
    said = Problem(code="adapters.base_taken", args={"base": base.name}, blocking=False)
    return Manifest(
        id=id_,
        kind=Kind.ADAPTER,
        name=name.strip(),
        license=base.license,
        parents=[base.id],
        facts={
            **{key: value for key, value in base.facts.items() if key != "taken"},
            "format": "adapter",
            "base": base.id,
            "adapter_parameters": sum(prod(each["shape"]) for each in tensors.values()),
            "taken": [said.model_dump(mode="json")],
        },
    )


def _base(store: Store, wanted: str, exact: bool) -> ArtifactView:
    """The full model called so: by id or name, or as the last part of a path or of a hub's name."""
    models = [each for each in store.artifacts([Kind.MODEL]) if each.facts.get("format") == "torch"]
    short = PurePath(wanted.replace("\\", "/")).name.lower()
    for each in models:
        if wanted in (each.id, each.name) or (not exact and short and each.name.lower() == short):
            return each
    raise StudioError("adapters.no_base", base=wanted or "–", name=short or "–")


def _check_fit(tensors: Header, base: ArtifactView) -> None:
    """Raises StudioError when a matrix of the adapter has no counterpart of its shape in the base."""
    known: dict[str, Any] = {}
    for file in weight_files(base.path):
        known |= read_header(file)
    found = {name: match for name in tensors if (match := _LORA.match(name))}
    if not found:
        raise StudioError("adapters.empty", base=base.name)
    for name, match in found.items():
        weight = known.get(f"{match['module']}.weight")
        inner = tensors[name]["shape"]
        side = inner[-1] if match["side"] == "A" else inner[0]
        if weight is None or len(inner) != 2 or side not in weight["shape"]:
            raise StudioError("adapters.other_base", base=base.name, tensor=match["module"])
