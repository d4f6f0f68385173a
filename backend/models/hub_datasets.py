"""Which files of a dataset repository hold rows, and how they belong together: its card says it, else the names do.

Files only: a repository's loading script is never fetched. What a card says is not trusted; whatever has another shape counts
as not said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from backend.core.errors import StudioError
from backend.data.sources.members import is_data, split_of, split_of_member
from backend.models.hub_views import DataPart, HubDetails, HubFile

SUFFIXES = (".parquet", ".csv", ".tsv", ".json", ".jsonl", ".ndjson")
PACKED = (".gz", ".bz2", ".xz", ".zst")
_MOST_PATTERNS = 1000


def is_data_file(name: str) -> bool:
    """Whether a file of a repository may hold rows, and has a name that stays within a folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or "\\" in name or any(part in ("", ".", "..") for part in name.split("/")):
        return False
    own = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return is_data(str(own)) and own.suffix.lower() in SUFFIXES


def parts_of(files: Sequence[HubFile], configs: Any) -> list[DataPart]:
    """By the `configs` of the card where they name files that are there, else by folders and names."""
    return list(_said(files, configs)) or _guessed(files)


def chosen(known: HubDetails, config: str = "", splits: Sequence[str] = (), names: Sequence[str] = ()) -> list[str]:
    """The files that are meant: `names` themselves, else those of `config` (else the default one, else the only one) and of
    `splits` (else all). Raises StudioError for one that is not there, no file of rows, or several configurations to choose
    from."""
    if not known.files:
        raise StudioError("hub.no_data_files", field="repo", repo=known.repo)
    there = {each.name for each in known.files}
    if unknown := [name for name in names if name not in there]:
        raise StudioError("hub.file_missing", field="files", repo=known.repo, file=unknown[0])
    if names:
        return list(names)
    configs = list(dict.fromkeys(part.config for part in known.parts))
    if not config and len(configs) > 1 and "default" not in configs:
        raise StudioError("hub.config_open", field="config", repo=known.repo, configs=_listed(configs))
    config = config or ("default" if "default" in configs else configs[0])
    if config not in configs:
        raise StudioError(
            "hub.config_missing", field="config", repo=known.repo, config=config, configs=_listed(configs)
        )
    parts = [part for part in known.parts if part.config == config]
    have = [part.split for part in parts]
    if unknown := [split for split in splits if split not in have]:
        raise StudioError("hub.split_missing", field="splits", repo=known.repo, split=unknown[0], splits=_listed(have))
    return list(dict.fromkeys(name for part in parts if part.split in (splits or have) for name in part.files))


def stored_names(known: HubDetails, names: Sequence[str]) -> dict[str, str]:
    """Where each file goes in the folder that is read: under its own name, but for one whose split only the card tells."""
    said = {name: part.split for part in known.parts for name in part.files}
    found: dict[str, str] = {}
    for number, name in enumerate(names):
        split = split_of(said.get(name, ""))
        own = PurePosixPath(name)
        at = own.name.find(".")
        told = not split or split_of_member(name) == split
        found[name] = name if told else f"{split}/part-{number}{own.name[at:] if at >= 0 else ''}"
    return found


def _said(files: Sequence[HubFile], configs: Any) -> Iterator[DataPart]:
    for entry in configs if isinstance(configs, list) else []:
        if not isinstance(entry, dict):
            continue
        folder = entry.get("data_dir")
        base = f"{folder.strip('/')}/" if isinstance(folder, str) and folder.strip("/.") else ""
        for split, patterns in _data_files(entry.get("data_files")):
            found = [each for each in files if any(_fits(each.name, f"{base}{pattern}") for pattern in patterns)]
            if found:
                yield _part(str(entry.get("config_name") or ""), split, found)


def _data_files(said: Any) -> Iterator[tuple[str, list[str]]]:
    """(split, patterns) of each entry: a pattern, a list of them, {split: patterns}, or a list of {split, path}."""
    if isinstance(said, dict):
        said = [{"split": split, "path": path} for split, path in said.items()]
    if isinstance(said, str):
        said = [said]
    if not isinstance(said, list):
        return
    plain = [each for each in said if isinstance(each, str)]
    if plain:
        yield "", plain[:_MOST_PATTERNS]
    for each in said:
        if isinstance(each, dict) and isinstance(each.get("split"), str):
            path = each.get("path")
            paths = [path] if isinstance(path, str) else path if isinstance(path, list) else []
            yield each["split"], [one for one in paths if isinstance(one, str)][:_MOST_PATTERNS]


def _fits(name: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./")
    return fnmatchcase(name, pattern) or ("**/" in pattern and fnmatchcase(name, pattern.replace("**/", "")))


def _guessed(files: Sequence[HubFile]) -> list[DataPart]:
    """A configuration is a folder that is none of a split's and not just called `data`."""
    found: dict[tuple[str, str], list[HubFile]] = {}
    for each in files:
        folders = [part for part in PurePosixPath(each.name).parent.parts if part != "data" and not split_of(part)]
        found.setdefault((folders[0] if folders else "", split_of_member(each.name)), []).append(each)
    return [_part(config, split, group) for (config, split), group in sorted(found.items())]


def _part(config: str, split: str, files: Sequence[HubFile]) -> DataPart:
    return DataPart(
        config=config, split=split, files=[each.name for each in files], bytes=sum(each.bytes for each in files)
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name or "–" for name in names[:20]) + (", …" if len(names) > 20 else "")
