"""Models and datasets of a hub that speaks Hugging Face's protocol, by `huggingface_hub`: search, what one holds, download.

Nothing here is called unless somebody asked. `HF_ENDPOINT` names a mirror, `HF_HUB_OFFLINE` and `TRANSFORMERS_OFFLINE` forbid
all of it. Xet, the hub's own transfer, is used with the hub itself only: mirrors serve plain files. Weights are safetensors.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel

from backend.core.errors import StudioError
from backend.models.hub_errors import told

if TYPE_CHECKING:
    from huggingface_hub import HfApi

HUB = "https://huggingface.co"
ASKED_OFFLINE = "SLMOPS_ASKED_OFFLINE"
"""In the environment of a job: "1" where the user forbade the hub. Jobs run with HF_HUB_OFFLINE=1 in any case."""
PATTERNS = ("*.safetensors", "*.json", "*.txt", "*.jinja", "*.model", "*.md", "LICENSE*", "NOTICE*")
"""Files of a model that are fetched, of its top folder only."""
UNUSED = ("consolidated*", "*.index.fp16.json")
"""Second copies of the same weights."""
CHUNK = 1 << 18
"""Bytes that a cut connection loses at most; the library's own 10 MB would be fetched again with every cut."""
ATTEMPTS = 5
"""In a row without a new byte; then a download fails."""
_REPO = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")
_WIDTHS = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}
RepoType = Literal["model", "dataset"]
Tell = Callable[[int, int], None]
"""Gets the bytes that are here and those of all files, about twice a second; what it raises ends the download."""


class HubFile(BaseModel):
    """A file of a repository: its name, bytes, and SHA-256 where the hub keeps it as a large file."""

    name: str
    bytes: int
    sha256: str | None = None


class HubEntry(BaseModel):
    """What a search shows of one repository. `bytes`: of its weights, by their types; 0: not known."""

    repo: str
    license: str | None = None
    parameters: int = 0
    bytes: int = 0
    gated: bool = False
    downloads: int = 0
    languages: list[str] = []


class HubDetails(HubEntry):
    """One repository at one commit, before anything of it is fetched. `bytes`: of the files that a download fetches."""

    commit: str
    files: list[HubFile]
    url: str


def offline() -> bool:
    """Whether the user forbade to ask the hub."""
    said = os.environ.get(ASKED_OFFLINE)
    if said is None:
        said = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return said.strip().upper() in ("1", "ON", "YES", "TRUE")


def endpoint() -> str:
    """The hub's address: HF_ENDPOINT where it is set."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def host() -> str:
    """The hub's name in sentences, without what an address may hold of a password."""
    return urlsplit(endpoint()).hostname or endpoint()


def is_repo(name: str) -> bool:
    """Whether a repository can have this name."""
    return bool(_REPO.fullmatch(name)) and ".." not in name


def search(text: str, kind: RepoType = "model", limit: int = 20, token: str | None = None) -> list[HubEntry]:
    """What matches, most downloaded first; models that generate text, with safetensors. Raises StudioError."""
    api = _api(token)
    with told(host(), text, endpoint()):
        if kind == "dataset":
            datasets = api.list_datasets(
                search=text, sort="downloads", limit=limit, expand=["downloads", "gated", "tags"]
            )
            return [_entry(each) for each in datasets]
        models = api.list_models(
            search=text,
            sort="downloads",
            limit=limit,
            filter=["safetensors"],
            pipeline_tag="text-generation",
            expand=["downloads", "gated", "tags", "safetensors"],
        )
        return [_entry(each) for each in models]


def details(repo: str, kind: RepoType = "model", revision: str = "", token: str | None = None) -> HubDetails:
    """License, size and files of one repository. Raises StudioError: no such one, gated, no network ..."""
    if not is_repo(repo):
        raise StudioError("hub.repo_name", field="repo", repo=repo)
    api = _api(token)
    with told(host(), repo, f"{endpoint()}/{repo}", revision):
        ask = api.model_info if kind == "model" else api.dataset_info
        info = ask(repo, revision=revision or None, files_metadata=True)
    files = [
        HubFile(name=each.rfilename, bytes=each.size or 0, sha256=each.lfs.sha256 if each.lfs else None)
        for each in info.siblings or []
    ]
    if kind == "model":
        files = [each for each in files if _wanted(each.name)]
    known = _entry(info).model_dump() | {"bytes": sum(each.bytes for each in files)}
    prefix = "datasets/" if kind == "dataset" else ""
    return HubDetails(**known, commit=info.sha or "", files=files, url=f"{endpoint()}/{prefix}{repo}")


def card(repo: str, kind: RepoType = "model", token: str | None = None) -> str:
    """The text of a repository's README.md, without its front matter. Raises StudioError."""
    api = _api(token)
    from huggingface_hub import RepoCard

    with told(host(), repo, f"{endpoint()}/{repo}"), TemporaryDirectory() as folder:
        path = api.hf_hub_download(repo, "README.md", repo_type=kind, local_dir=folder)
        return str(RepoCard(Path(path).read_text("utf-8", "replace"), ignore_metadata_errors=True).text)


def download(known: HubDetails, folder: Path, tell: Tell, kind: RepoType = "model", token: str | None = None) -> None:
    """Fetch the files of `known` into `folder`; what an earlier attempt left there is kept, and a cut file goes on where it
    ends. Each large file's SHA-256 is checked. Raises StudioError, and what `tell` raises."""
    if kind == "model" and not any(each.name.endswith(".safetensors") for each in known.files):
        raise StudioError("hub.no_safetensors", field="repo", repo=known.repo)
    failures, before = 0, -1
    while True:
        try:
            _fetch(known, folder, tell, kind, token)
            break
        except StudioError as error:
            here = bytes_here(folder)
            failures = 1 if here > before else failures + 1
            before = here
            if error.problems[0].code != "hub.unreachable" or failures >= ATTEMPTS:
                raise
            _wait(min(2.0**failures, 30.0) / 2, lambda: tell(bytes_here(folder), known.bytes))
    for file in known.files:
        _check(known.repo, folder, file)


def bytes_here(folder: Path) -> int:
    """Bytes of the files that arrived in `folder`, and of those at work."""
    files = (path for path in folder.rglob("*") if path.suffix in ("", ".incomplete") or ".cache" not in path.parts)
    total = 0
    for path in files:
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # just renamed
            continue
    return total


def _fetch(known: HubDetails, folder: Path, tell: Tell, kind: RepoType, token: str | None) -> None:
    """One attempt. The library works in a thread that dies with the process, so that a stop does not wait for the network."""
    from huggingface_hub import snapshot_download

    _api(token)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with told(host(), known.repo, known.url):
                snapshot_download(
                    known.repo,
                    repo_type=kind,
                    revision=known.commit,
                    local_dir=folder,
                    allow_patterns=[re.sub(r"([*?[])", r"[\1]", each.name) for each in known.files],
                    token=token or False,
                    endpoint=endpoint(),
                    max_workers=4,
                )
        except BaseException as error:  # told to the thread that waits
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
        tell(min(bytes_here(folder), known.bytes), known.bytes)
    if failed:
        raise failed[0]


def _check(repo: str, folder: Path, file: HubFile) -> None:
    path = folder / file.name
    right = path.is_file() and path.stat().st_size == file.bytes
    if right and file.sha256:
        with path.open("rb") as stream:
            right = hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
    if not right:
        path.unlink(missing_ok=True)
        raise StudioError("hub.damaged", repo=repo, file=file.name)


def _wait(seconds: float, beat: Callable[[], None]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        beat()
        time.sleep(min(left, 0.25))


def _wanted(name: str) -> bool:
    return (
        "/" not in name
        and any(fnmatch(name, one) for one in PATTERNS)
        and not any(fnmatch(name, one) for one in UNUSED)
    )


def _entry(info: Any) -> HubEntry:
    """From huggingface_hub's ModelInfo or DatasetInfo."""
    tags = info.tags or []
    weights = getattr(info, "safetensors", None)
    types = weights.parameters if weights else {}
    return HubEntry(
        repo=info.id,
        license=next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), None),
        parameters=weights.total if weights else 0,
        bytes=sum(count * _WIDTHS.get(dtype, 1) for dtype, count in types.items()),
        gated=bool(info.gated),
        downloads=info.downloads or 0,
        languages=sorted(tag for tag in tags if re.fullmatch(r"[a-z]{2}", tag)),
    )


def _api(token: str | None) -> HfApi:
    """The library as the environment says now: it reads its switches once, at its import. Raises StudioError offline."""
    if offline():
        raise StudioError("hub.offline")
    from huggingface_hub import HfApi, constants
    from huggingface_hub.utils.tqdm import disable_progress_bars

    constants.HF_HUB_OFFLINE = False
    constants.HF_HUB_DISABLE_TELEMETRY = True
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK
    if endpoint() != HUB:
        constants.HF_HUB_DISABLE_XET = True
    disable_progress_bars()
    return HfApi(endpoint=endpoint(), token=token or False, library_name="slmops-studio")
