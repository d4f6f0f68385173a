"""Models that came into a home before weights were checked: the first time that one is opened or used, a child checks it once.
What it finds stays with the model, in its facts and its manifest; its files stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backend.core.artifacts import MANIFEST, read_manifest, write_json
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.db import Store
from backend.models.adapter_files import read_config
from backend.models.weights import check_weights

CHECKED = 1
"""The fact `checked` of what came in through this check. Raise it when the check finds more: models are then checked again."""
_ABOUT_THE_MACHINE = ("models.check_time", "models.check_memory", "models.check_stopped")


def is_due(view: ArtifactView) -> bool:
    """Whether it is a model or an adapter that was imported and never checked. What a stage made was loaded by that stage."""
    imported = view.kind in (Kind.MODEL, Kind.ADAPTER) and view.job_id is None
    known = view.facts.get("checked", 1 if view.facts.get("trial") else 0)
    readable = view.facts.get("format") == "torch" or (view.facts.get("format") == "adapter" and "base" in view.facts)
    return imported and readable and known < CHECKED


def findings(view: ArtifactView, base: ArtifactView | None, work: Path) -> dict[str, Any]:
    """The facts of a model with what the check found: `checked`, `trial`, `taken`, and `problems` when it can't be used.
    `base`: of an adapter; `work`: a folder for the child's files.

    Raises StudioError when the check itself came to no end."""
    facts = {key: value for key, value in view.facts.items() if key != "problems"} | {"checked": CHECKED}
    try:
        if view.kind is Kind.ADAPTER:
            read_config(view.path)
        trial, told = check_weights(view.path, base, work)
    except StudioError as error:
        if error.code in _ABOUT_THE_MACHINE:
            raise
        return facts | {"problems": [each.model_dump(mode="json") for each in error.problems]}
    known = [each.model_dump(mode="json") for each in view.taken]
    facts["taken"] = known + [each for each in (one.model_dump(mode="json") for one in told) if each not in known]
    return facts | ({"trial": trial} if trial else {})


def keep(store: Store, view: ArtifactView, facts: dict[str, Any]) -> ArtifactView:
    """Write the facts down: where the studio looks, and in the manifest, which goes with the folder."""
    manifest = read_manifest(view.path)
    kept = manifest.model_copy(update={"facts": facts})
    write_json(view.path / MANIFEST, kept.model_dump(mode="json"))
    store.set_facts(view.id, facts)
    return store.artifact(view.id)


def check(store: Store, cache: Path, view: ArtifactView) -> ArtifactView:
    """A model or adapter of the store, checked now when that is due (seconds; minutes for a large one): `problems` and `taken`
    then say what was found. `cache`: a folder for the child's files. Raises StudioError when the check comes to no end."""
    view = store.artifact(view.id)
    if not is_due(view):
        return view
    with TemporaryDirectory(dir=cache, prefix="check-") as work:
        facts = findings(view, base_of(store, view), Path(work))
    return keep(store, view, facts)


def for_use(store: Store, cache: Path, views: Sequence[ArtifactView]) -> list[ArtifactView]:
    """What is about to be loaded, a model first and then what it stands on, each checked when that is due. Raises StudioError
    with what is wrong with one of them."""
    checked = [check(store, cache, view) for view in reversed(views)]
    if wrong := [problem for view in checked for problem in view.problems]:
        raise StudioError.of(wrong)
    return checked[::-1]


def base_of(store: Store, view: ArtifactView) -> ArtifactView | None:
    """Of an adapter. Raises StudioError when it is gone."""
    return store.artifact(view.facts["base"]) if view.kind is Kind.ADAPTER else None
