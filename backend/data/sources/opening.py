"""Opens a file, an archive or a folder: what is inside decides."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from backend.core.errors import Problem, StudioError
from backend.data.formats import SourceFormat, by_suffix
from backend.data.sources.containers import MEMBER_LIMIT, SINGLE, container_of, members_of, unpack
from backend.data.sources.members import choose_members, split_of_member
from backend.data.sources.options import ReadOptions, SourceFacts
from backend.data.sources.several import Member, MembersSource
from backend.data.sources.sniff import HEAD, format_of, is_document, is_workbook
from backend.data.sources.source import Source
from backend.data.sources.text_file import InputFile

_DEPTH = 3
"""Containers in containers: a folder with zip files of .csv.gz files."""
_NOT_NOTED = ({"csv", "tsv"}, {"json", "jsonl"})


_Kept = tuple[dict[tuple[Path, ReadOptions], Source], Callable[[Source], Source]]
_kept: ContextVar[_Kept | None] = ContextVar("kept", default=None)


@contextmanager
def kept_open(seen: Callable[[Source], Source] = lambda source: source) -> Iterator[None]:
    """Within it, a source that doesn't change is opened once, however often it is asked for: an archive is unpacked and a
    document surveyed a single time. `seen`: what is made of it then."""
    token = _kept.set(({}, seen))
    try:
        yield
    finally:
        _kept.reset(token)


def open_path(path: Path, options: ReadOptions) -> Source:
    """Raises StudioError that names the file and what is wrong with it."""
    found = _kept.get()
    if found is None:
        return _open(path, options)
    kept, seen = found
    if (path, options) not in kept:
        kept[path, options] = seen(_open(path, options))
    return kept[path, options]


def _open(path: Path, options: ReadOptions) -> Source:
    if path.is_dir():
        return _open_folder(path, options)
    if not path.exists():
        raise StudioError("data.missing", file=path)
    if not path.is_file():
        raise StudioError("data.special", file=path)
    return _open_file(InputFile(path, path.name), options, _DEPTH)


def sniff(path: Path) -> SourceFormat | None:
    """What a file is by its head, None for an archive or folder: a cheap check before anything is read. Raises StudioError
    when it can't be a source."""
    if path.is_dir():
        return None
    if not path.exists():
        raise StudioError("data.missing", file=path)
    if not path.is_file():
        raise StudioError("data.special", file=path)
    file = InputFile(path, path.name)
    head = _head(file)
    return None if _is_container(file, head) else format_of(file, head)


def _open_file(file: InputFile, options: ReadOptions, depth: int) -> Source:
    head = _head(file)
    kind = _is_container(file, head)
    if kind:
        if not depth:
            raise StudioError("data.packed_deep", file=file.name)
        return _open_archive(file, kind, options, depth - 1)
    found = format_of(file, head)
    facts = SourceFacts(format=found.name, title=found.title, members=[file.name], header_line=0)
    named = by_suffix().get(file.path.suffix.lower())
    if named not in (None, found) and {found.name, named.name if named else ""} not in _NOT_NOTED:
        args = {"file": file.name, "format": found.title}
        facts.notes.append(Problem(code="data.format_taken", args=args, blocking=False))
    module, name = found.source.split(":")
    opened: Source = getattr(import_module(f"backend.data.sources.{module}"), name)(file, options, facts)
    return opened


def _open_archive(file: InputFile, kind: str, options: ReadOptions, depth: int) -> Source:
    members = members_of(file.path, kind, file.name)
    names, notes = (members, []) if kind in SINGLE else choose_members(members, options.records, file.name)
    options = _inner_options(options, names, members)
    unpacked = TemporaryDirectory(prefix="slmops-", ignore_cleanup_errors=True)
    paths = unpack(file.path, kind, names, Path(unpacked.name), file.name)
    files = [InputFile(path, name) for path, name in zip(paths, names, strict=True)]
    return _joined(file.path, file.name, kind, files, options, depth, notes, unpacked)


def _open_folder(path: Path, options: ReadOptions) -> Source:
    inside: dict[str, Path] = {}
    top = path.resolve()
    for place, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            member = Path(place, name)
            if member.is_file() and member.resolve().is_relative_to(top):
                inside[member.relative_to(path).as_posix()] = member
        if len(inside) > MEMBER_LIMIT:
            raise StudioError("data.members_many", file=path, count=len(inside), limit=MEMBER_LIMIT)
    if not inside:
        raise StudioError("data.folder_empty", file=path)
    names, notes = choose_members(list(inside), options.records, path.name)
    options = _inner_options(options, names, list(inside))
    files = [InputFile(inside[name], name) for name in names]
    return _joined(path, path.name, "folder", files, options, _DEPTH - 1, notes, None)


def _joined(
    path: Path,
    name: str,
    kind: str,
    files: list[InputFile],
    options: ReadOptions,
    depth: int,
    notes: list[Problem],
    unpacked: TemporaryDirectory[str] | None,
) -> Source:
    members = [Member(file.name, _open_file(file, options, depth), split_of_member(file.name)) for file in files]
    first = members[0].source.facts
    facts = first.model_copy(update={"container": kind, "notes": notes + _distinct(members)})
    facts.own_export = all(member.source.facts.own_export for member in members)
    facts.encoding_sure = all(member.source.facts.encoding_sure for member in members)
    return MembersSource(path, name, members, facts, unpacked)


def _distinct(members: list[Member]) -> list[Problem]:
    """The notes of all members, the first of each kind."""
    found: dict[str, Problem] = {}
    for member in members:
        for note in member.source.facts.notes:
            found.setdefault(note.code, note)
    return list(found.values())


def _inner_options(options: ReadOptions, names: list[str], members: list[str]) -> ReadOptions:
    """Without `records` where it named a member."""
    used = bool(options.records) and (len(names) < len(members) or any(options.records in name for name in names))
    return options.model_copy(update={"records": ""}) if used else options


def _is_container(file: InputFile, head: bytes) -> str:
    kind = container_of(head)
    if kind == "zip" and (is_workbook(file.path, head) or is_document(file.path)):
        return ""
    return kind


def _head(file: InputFile) -> bytes:
    try:
        with file.path.open("rb") as stream:
            return stream.read(HEAD)
    except OSError as error:
        raise StudioError("data.unreadable", file=file.path, reason=error.strerror) from error
