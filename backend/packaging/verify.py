"""Packages after they were made: their versions, and whether one still is what was packed."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError

from backend.core.artifacts import MANIFEST
from backend.core.errors import Problem
from backend.core.schemas import Kind
from backend.packaging.package_folder import CHECKSUMS_FILE

FIRST_VERSION = "1.0.0"
_NUMBER = r"(0|[1-9]\d{0,8})"
VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z.-]+)?")
"""Semantic versioning 2.0.0."""
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_MAX_CHECKSUMS_BYTES = 10_000_000

Hashes = dict[str, Callable[[], str]]
"""Name of a file in a package -> its SHA-256, read when asked for."""


def version_key(version: str) -> tuple[int, int, int, bool, str]:
    """To sort by: a version with a suffix after a dash comes before the one without. Suffixes compare as words, and what is no
    version comes first."""
    if not VERSION.fullmatch(version):
        return -1, 0, 0, False, version
    numbers, _, suffix = version.partition("+")[0].partition("-")
    major, minor, patch = (int(number) for number in numbers.split("."))
    return major, minor, patch, not suffix, suffix


def package_versions(artifacts: Path, name: str, but: str = "") -> dict[str, str]:
    """The versions of the packages called `name` in an artifact store -> the hash of their sums; `but` is the id of one that
    does not count. Two packages of one version are the same bytes."""
    found = {}
    for manifest in sorted((artifacts / Kind.PACKAGE).glob(f"*/{MANIFEST}")):
        about = json.loads(manifest.read_text("utf-8"))
        facts = about.get("facts", {})
        sums = manifest.parent / str(facts.get("folder", "")) / CHECKSUMS_FILE
        if about["name"] == name and about["id"] != but and sums.is_file():
            found[str(facts.get("version"))] = hashlib.sha256(sums.read_bytes()).hexdigest()
    return found


def next_version(known: Iterable[str]) -> str:
    """One patch above the highest of these, 1.0.0 when there is none."""
    keys = [version_key(version) for version in known if VERSION.fullmatch(version)]
    if not keys:
        return FIRST_VERSION
    major, minor, patch, whole, _ = max(keys)
    return f"{major}.{minor}.{patch + whole}"


def verify_package(package: Path) -> list[Problem]:
    """What is wrong with a package (a folder or its zip file): files that changed, are missing or were added, and names that
    lead out of it. Empty when it is what was packed."""
    if package.is_dir():
        return _compare(package.name, *_read_folder(package))
    if not package.is_file():
        return [Problem(code="package.none", args={"path": str(package)})]
    try:
        with ZipFile(package) as archive:
            return _compare(package.name, *_read_zip(archive))
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, RuntimeError) as error:
        return [Problem(code="package.zip_damaged", args={"file": package.name, "reason": str(error)})]


def _compare(package: str, sums: str | None, hashes: Hashes, problems: list[Problem]) -> list[Problem]:
    if sums is None:
        return [*problems, Problem(code="package.no_sums", args={"package": package, "file": CHECKSUMS_FILE})]
    wanted: dict[str, str] = {}
    for number, line in enumerate(sums.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in wanted:
            problems.append(Problem(code="package.bad_line", args={"file": CHECKSUMS_FILE, "line": number}))
        elif _unsafe(match[2]):
            problems.append(Problem(code="package.unsafe", args={"file": match[2]}))
        else:
            wanted[match[2]] = match[1]
    for name, digest in wanted.items():
        if name not in hashes:
            problems.append(Problem(code="package.missing", args={"file": name}))
        elif hashes[name]() != digest:
            problems.append(Problem(code="package.changed", args={"file": name}))
    extra = sorted(set(hashes) - set(wanted))
    return problems + [Problem(code="package.extra", args={"file": name}) for name in extra]


def _read_folder(folder: Path) -> tuple[str | None, Hashes, list[Problem]]:
    hashes: Hashes = {}
    problems = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            problems.append(Problem(code="package.unsafe", args={"file": name}))
        elif path.is_file() and name != CHECKSUMS_FILE:
            hashes[name] = lambda path=path: _sha256(path.open("rb"))  # type: ignore[misc]
    sums = folder / CHECKSUMS_FILE
    small = sums.is_file() and not sums.is_symlink() and sums.stat().st_size <= _MAX_CHECKSUMS_BYTES
    return sums.read_text("utf-8", "replace") if small else None, hashes, problems


def _read_zip(archive: ZipFile) -> tuple[str | None, Hashes, list[Problem]]:
    """The files of the one folder that lies in a package's zip file, by their names in it."""
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    counts = Counter(entry.filename for entry in entries)
    problems = [Problem(code="package.twice", args={"file": name}) for name, count in counts.items() if count > 1]
    unsafe = {entry.filename for entry in entries if _unsafe(entry.filename) or stat.S_ISLNK(entry.external_attr >> 16)}
    problems += [Problem(code="package.unsafe", args={"file": name}) for name in sorted(unsafe)]
    safe = [entry for entry in entries if entry.filename not in unsafe]
    tops = sorted(
        {PurePosixPath(entry.filename).parts[0] for entry in safe if entry.filename.endswith(f"/{CHECKSUMS_FILE}")}
    )
    top = f"{tops[0]}/" if tops else ""
    sums: str | None = None
    hashes: Hashes = {}
    for entry in safe:
        name = entry.filename.removeprefix(top)
        if not entry.filename.startswith(top):
            problems.append(Problem(code="package.extra", args={"file": entry.filename}))
        elif name == CHECKSUMS_FILE:
            sums = archive.read(entry).decode("utf-8", "replace") if entry.file_size <= _MAX_CHECKSUMS_BYTES else None
        else:
            hashes[name] = lambda entry=entry: _sha256(archive.open(entry))  # type: ignore[misc]
    return sums, hashes, problems


def _unsafe(name: str) -> bool:
    """Whether a name leads out of the folder that it is unpacked into, on any system."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name or not path.parts


def _sha256(stream: IO[bytes]) -> str:
    with stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
