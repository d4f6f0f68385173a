"""Which files of an archive or folder hold rows, and which split their names tell."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from backend.core.errors import Problem, StudioError
from backend.data.formats import CONTAINER_SUFFIXES, by_suffix

_SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "development": "validation",
    "eval": "validation",
    "test": "test",
    "testing": "test",
}
_WORD = re.compile(r"[^\W\d_]+")
_DESCRIBING = re.compile(
    r"(dataset_infos?|dataset_dict|state|config|metadata|package|manifest|schema|croissant|generation_config|tokenizer.*|"
    r"readme.*|licen[cs]e.*|notice.*|changelog.*|requirements.*|citation.*|contributing.*)"
)


def split_of(name: str) -> str:
    """train, validation or test where a name is or begins or ends with one (`train-00000-of-00001`, `my_test`); else ""."""
    words = [word.lower() for word in _WORD.findall(name)]
    told = {_SPLITS[word] for word in (words[:1] + words[-1:]) if word in _SPLITS}
    return told.pop() if len(told) == 1 else ""


def split_of_member(member: str) -> str:
    """By the file's own name, else by that of its folders, the nearest first."""
    path = PurePosixPath(member)
    own = path.name.split(".")[0]
    return next((split for name in (own, *reversed(path.parent.parts)) if (split := split_of(name))), "")


def is_data(member: str) -> bool:
    """Whether a member may hold rows: neither hidden nor a description, with a suffix that is known."""
    path = PurePosixPath(member)
    hidden = any(part.startswith((".", "__MACOSX", "~$", "cache-")) for part in path.parts if part not in (".", ".."))
    suffix = path.suffix.lower()
    return not hidden and not _DESCRIBING.fullmatch(path.stem.lower()) and suffix in {*by_suffix(), *CONTAINER_SUFFIXES}


def choose_members(members: list[str], records: str, file: str) -> tuple[list[str], list[Problem]]:
    """The members to read, and what is to be said of those left out. Raises StudioError where none holds rows, or `records`
    names none."""
    if records:
        named = [member for member in members if records in (member, PurePosixPath(member).name)]
        named = named or [member for member in members if PurePosixPath(records) in PurePosixPath(member).parents]
        if named:
            return named, []
    found = [member for member in members if is_data(member)]
    texts = [member for member in found if by_suffix().get(PurePosixPath(member).suffix.lower(), None) == _text()]
    found = [member for member in found if member not in texts] or texts
    if not found and len(members) == 1:
        found = members
    if not found:
        raise StudioError("data.no_members", file=file, members=_listed(members))
    told = [member for member in found if split_of_member(member)]
    if len(told) < len(found) and "train" in map(split_of_member, told):
        left = [member for member in found if member not in told]
        return told, [Problem(code="data.members_left", args={"file": file, "members": _listed(left)}, blocking=False)]
    return found, []


def _text() -> object:
    return by_suffix()[".txt"]


def _listed(members: list[str]) -> str:
    return ", ".join(sorted(members)[:20]) + (", …" if len(members) > 20 else "")
