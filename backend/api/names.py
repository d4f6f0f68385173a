"""The part of the facade that is about what things are called: names, notes and tags of runs and artifacts."""

from __future__ import annotations

from collections.abc import Collection

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, RunView
from backend.db import Store
from backend.models.builtin import BUILTIN

RUN_NAME, ARTIFACT_NAME, NOTES, TAG, TAGS = 200, 100, 4000, 40, 20
"""Characters of a name, of notes and of a tag at most; tags of one thing at most."""


class Names:
    """Mixed into `backend.api.Studio`."""

    store: Store

    def edit_run(
        self, run_id: str, name: str | None = None, notes: str | None = None, tags: Collection[str] | None = None
    ) -> RunView:
        """Change what a run is called, what is noted about it, its tags; what is None stays. Raises StudioError."""
        run = self.store.run(run_id)
        if notes is not None and len(notes.strip()) > NOTES:
            raise StudioError("names.notes_long", field="notes", most=NOTES)
        self.store.set_run(
            run.id,
            name=None if name is None else _clean_name(name, RUN_NAME),
            notes=None if notes is None else notes.strip(),
            tags=None if tags is None else clean_tags(tags),
        )
        return self.store.run(run_id)

    def rename(self, ref: str, name: str) -> ArtifactView:
        """Give an artifact another name; packages of one name are versions of each other, other names are given once in a
        kind. Raises StudioError."""
        view = self.store.artifact(ref)
        name = _clean_name(name, ARTIFACT_NAME)
        if name == view.name:
            return view
        if builtin := next((each for each in (view.name, name) if each in BUILTIN), ""):
            raise StudioError("names.builtin", field="name", name=builtin)
        alike = [each for each in self.store.artifacts([view.kind]) if each.name == name and each.id != view.id]
        if alike and view.kind is not Kind.PACKAGE:
            raise StudioError("names.taken", field="name", kind=view.kind.value, name=name)
        self.store.set_artifact(view.id, name=name)
        return self.store.artifact(view.id)

    def tag(self, ref: str, tags: Collection[str]) -> None:
        """Give a run (by id) or an artifact these tags in place of those that it has. Raises StudioError."""
        if self._is_run(ref):
            self.store.set_run(ref, tags=clean_tags(tags))
        else:
            self.store.set_artifact(self.store.artifact(ref).id, tags=clean_tags(tags))

    def tags_of(self, ref: str) -> list[str]:
        """Of a run (by id) or an artifact."""
        return self.store.run(ref).tags if self._is_run(ref) else self.store.artifact(ref).tags

    def add_tags(self, refs: Collection[str], tags: Collection[str]) -> None:
        """Give these tags to several runs and artifacts beside those that each has. Raises StudioError."""
        for ref in refs:
            self.tag(ref, [*self.tags_of(ref), *tags])

    def tags(self) -> list[str]:
        """All tags in use."""
        return self.store.tags()

    def _is_run(self, ref: str) -> bool:
        return bool(self.store.runs(ids=[ref]))


def clean_tags(tags: Collection[str]) -> list[str]:
    """Without doubles (in any case) and spare spaces. Raises StudioError for one that is empty, too long or holds a comma."""
    found: dict[str, str] = {}
    for tag in tags:
        clean = " ".join(tag.split())
        if not clean or len(clean) > TAG or "," in clean:
            raise StudioError("names.tag", field="tags", tag=tag, most=TAG)
        found.setdefault(clean.casefold(), clean)
    if len(found) > TAGS:
        raise StudioError("names.tags_many", field="tags", count=len(found), most=TAGS)
    return list(found.values())


def _clean_name(name: str, most: int) -> str:
    clean = " ".join(name.split())
    if not clean:
        raise StudioError("names.empty", field="name")
    if len(clean) > most:
        raise StudioError("names.long", field="name", most=most)
    return clean
