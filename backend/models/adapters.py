"""LoRA adapters that PEFT or Olive saved come in beside their base, which is here.

An adapter keeps its base's tokenizer, unless it brings one with the same tokens: then it was trained with the chat template of
that one. Nothing is kept before a child attached it to its base and compared name by name.
"""

from __future__ import annotations

import json
import shutil
from math import prod
from pathlib import Path, PurePath
from typing import Any

from backend.core.artifacts import MANIFEST, Manifest, seal
from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.db import Store
from backend.models.adapter_files import CONFIG, WEIGHTS, AdapterConfig, plain_names, read_config
from backend.models.catalogue import artifact_id, file_lock, register, temporary_folder
from backend.models.file_shapes import TokenizerShape, checked
from backend.models.probe import LEGAL_FILES, TOKENIZER_FILES, Header, read_header, read_json
from backend.models.recheck import CHECKED
from backend.models.weight_names import rename_tensors
from backend.models.weights import check_weights
from backend.process.explain import full_disk_told

_TALK_FILES = (*TOKENIZER_FILES, "generation_config.json")
_TEMPLATE_FILES = tuple(each for each in TOKENIZER_FILES if each != "tokenizer.json")


def import_adapter(
    store: Store, settings: Settings, folder: Path, name: str, project: str | None = None, base: str = ""
) -> ArtifactView:
    """The adapter in `folder` as an artifact called `name`, on the model `base`, else on the one that its configuration names.

    Raises StudioError when it is no LoRA adapter that the studio reads, its weights are missing or damaged, or it does not fit
    its base name by name.
    """
    if not name.strip():
        raise StudioError("models.name_empty")
    config = read_config(folder)
    view, said = _base(store, folder, config, base)
    tensors = read_header(folder / WEIGHTS)
    names, told = plain_names(folder, tensors)
    own = _own_tokenizer(folder, view)
    settings.prepare()
    parts = (CONFIG, WEIGHTS, "README.md", *LEGAL_FILES, *(_TALK_FILES if own else ()))
    files = [folder / each for each in parts if (folder / each).is_file()]
    target = settings.artifacts / Kind.ADAPTER / artifact_id(Kind.ADAPTER, name, files, view.id)
    with file_lock(settings.cache / "import.lock"):
        if not (target / MANIFEST).is_file():
            with temporary_folder(settings, target.name) as made:
                with full_disk_told(made):
                    _copy(folder, view.path, made, own)
                    rename_tensors(folder / WEIGHTS, made / WEIGHTS, names)
                trial, found = check_weights(made, view)
                seal(made, target, _manifest(target.name, name, view, tensors, trial, [*said, *told, *own, *found]))
        return register(store, target, project)


def _copy(folder: Path, base: Path, made: Path, own: list[Problem]) -> None:
    """All but the weights: what is its base's first, so that the adapter's own stays."""
    there = [base / each for each in (*_TALK_FILES, *LEGAL_FILES)]
    if own:
        there = [each for each in there if each.name not in _TEMPLATE_FILES]
    kept = (CONFIG, "README.md", *LEGAL_FILES, *(_TALK_FILES if own else ()))
    for file in [*there, *(folder / each for each in kept)]:
        if file.is_file():
            shutil.copyfile(file, made / file.name)


def _manifest(
    id_: str, name: str, base: ArtifactView, tensors: Header, trial: dict[str, Any], said: list[Problem]
) -> Manifest:
    own = {key: value for key, value in base.facts.items() if key not in ("taken", "trial")}
    facts = {
        **own,
        "format": "adapter",
        "checked": CHECKED,
        "base": base.id,
        "adapter_parameters": sum(prod(each["shape"]) for each in tensors.values()),
        "taken": [each.model_dump(mode="json") for each in said],
        **({"trial": trial} if trial else {}),
    }
    kind, parents = Kind.ADAPTER, [base.id]
    return Manifest(id=id_, kind=kind, name=name.strip(), license=base.license, parents=parents, facts=facts)


def bases(store: Store) -> list[ArtifactView]:
    """The models that an adapter can be attached to, newest first."""
    return [each for each in store.artifacts([Kind.MODEL]) if each.facts.get("format") == "torch"]


def _base(store: Store, folder: Path, config: AdapterConfig, chosen: str) -> tuple[ArtifactView, list[Problem]]:
    """The model that the adapter belongs to, and how that was found: the one that was chosen, the one that the studio trained
    it on, else the only one of the name that its configuration gives (the last part of a path or of a hub's name)."""
    models, named = bases(store), config.base_model_name_or_path or ""
    short = PurePath(named.replace("\\", "/")).name.lower()
    if chosen:
        found = [each for each in models if chosen in (each.id, each.name)]
        found = [each for each in found if each.id == chosen] or found
    else:
        found = [each for each in models if named in (each.id, each.name) or (short and each.name.lower() == short)]
    wanted, trained_on = chosen or named or "–", "" if chosen else _trained_on(folder)
    if trained_on:
        exact = [each for each in models if each.id == trained_on]
        if found and not exact:
            raise StudioError("adapters.base_differs", base=found[0].name, id=trained_on)
        found, wanted = exact, trained_on
    if not found:
        raise StudioError("adapters.no_base", base=wanted, name=short or wanted)
    if len({each.digest for each in found}) > 1:
        raise StudioError("adapters.several", name=found[0].name, ids=", ".join(each.id for each in found))
    base = found[0]
    said = [Problem(code="adapters.base_taken", args={"base": base.name}, blocking=False)]
    if chosen and named and short != base.name.lower() and named not in (base.id, base.name):
        said = [Problem(code="adapters.base_chosen", args={"base": base.name, "named": named}, blocking=False)]
    return base, said


def _trained_on(folder: Path) -> str:
    """The base's id in the manifest of an adapter that a studio made; "" for others."""
    if not (folder / MANIFEST).is_file():
        return ""
    facts = read_json(folder, MANIFEST).get("facts")
    base = facts.get("base") if isinstance(facts, dict) else None
    return base if isinstance(base, str) else ""


def _own_tokenizer(folder: Path, base: ArtifactView) -> list[Problem]:
    """A sentence when the adapter brings its own special tokens or chat template; [] when the base's are used. Raises
    StudioError for other tokens than the base's."""
    if not (folder / "tokenizer.json").is_file():
        return []
    if _tokens(folder) != _tokens(base.path):
        raise StudioError("adapters.tokenizer", base=base.name)
    there = [each for each in _TEMPLATE_FILES if (folder / each).is_file()]
    if all(_same(folder / each, base.path / each) for each in there):
        return []
    return [Problem(code="adapters.own_tokenizer", args={"files": ", ".join(there)}, blocking=False)]


def _tokens(folder: Path) -> tuple[Any, list[tuple[int, str]]]:
    found = checked(folder, "tokenizer.json", read_json(folder, "tokenizer.json"), TokenizerShape)
    return found.model.vocab, sorted((token.id, token.content) for token in found.added_tokens)


def _same(one: Path, other: Path) -> bool:
    if not other.is_file():
        return False
    texts = [file.read_text("utf-8", "replace") for file in (one, other)]
    if one.suffix != ".json":
        return texts[0] == texts[1]
    try:
        return bool(json.loads(texts[0]) == json.loads(texts[1]))
    except ValueError:
        return False
