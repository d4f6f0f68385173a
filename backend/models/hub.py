"""Models and datasets of a hub that speaks Hugging Face's protocol, by `huggingface_hub`: search, what one holds, download.

Nothing here is called unless somebody asked. `HF_ENDPOINT` names a mirror, `HF_HUB_OFFLINE` and `TRANSFORMERS_OFFLINE` forbid
all of it. Xet, the hub's own transfer, is used with the hub itself only: mirrors serve plain files. Weights are safetensors.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from backend.core.errors import StudioError
from backend.models.hub_client import endpoint, host, is_repo, open_api
from backend.models.hub_datasets import is_data_file, parts_of
from backend.models.hub_errors import told
from backend.models.hub_gguf import gguf_choices
from backend.models.hub_views import HubDetails, HubEntry, HubFile, RepoType

PATTERNS = ("*.safetensors", "*.json", "*.txt", "*.jinja", "*.model", "*.md", "LICENSE*", "NOTICE*")
"""Files of a model that are fetched, of its top folder only."""
UNUSED = ("consolidated*", "*.index.fp16.json")
"""Second copies of the same weights."""
ATTEMPTS = 5
"""In a row without a new byte; then a download fails."""
_WIDTHS = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}
Tell = Callable[[int, int], None]
"""Gets the bytes that are here and those of all files, about twice a second; what it raises ends the download."""


def search(text: str, kind: RepoType = "model", limit: int = 20, token: str | None = None) -> list[HubEntry]:
    """What matches, most downloaded first; models that generate text, with safetensors or GGUF files. Raises StudioError."""
    api = open_api(token)
    with told(host(), text, endpoint()):
        if kind == "dataset":
            datasets = api.list_datasets(
                search=text, sort="downloads", limit=limit, expand=["downloads", "gated", "tags"]
            )
            return [_entry(each) for each in datasets]
        found: dict[str, HubEntry] = {}
        for form in ("safetensors", "gguf"):
            models = api.list_models(
                search=text,
                sort="downloads",
                limit=limit,
                filter=[form],
                pipeline_tag="text-generation",
                expand=["downloads", "gated", "tags", "safetensors", "gguf"],
            )
            found = {each.id: _entry(each) for each in models} | found
        return sorted(found.values(), key=lambda each: -each.downloads)[:limit]


def details(repo: str, kind: RepoType = "model", revision: str = "", token: str | None = None) -> HubDetails:
    """License, size and files of one repository. Raises StudioError: no such one, gated, no network ..."""
    if not is_repo(repo):
        raise StudioError("hub.repo_name", field="repo", repo=repo)
    api = open_api(token)
    with told(host(), repo, f"{endpoint()}/{repo}", revision):
        ask = api.model_info if kind == "model" else api.dataset_info
        info = ask(repo, revision=revision or None, files_metadata=True)
    files = [
        HubFile(name=each.rfilename, bytes=each.size or 0, sha256=each.lfs.sha256 if each.lfs else None)
        for each in info.siblings or []
    ]
    gguf = gguf_choices(files) if kind == "model" else []
    wanted = _wanted if kind == "model" else is_data_file
    files = [each for each in files if wanted(each.name)]
    known = _entry(info).model_dump() | {"bytes": sum(each.bytes for each in files)}
    prefix = "datasets/" if kind == "dataset" else ""
    made = HubDetails(**known, commit=info.sha or "", files=files, url=f"{endpoint()}/{prefix}{repo}", gguf=gguf)
    if kind == "dataset":
        made.parts = parts_of(files, info.card_data.get("configs") if info.card_data else None)
    return made


def card(repo: str, kind: RepoType = "model", token: str | None = None) -> str:
    """The text of a repository's README.md, without its front matter. Raises StudioError."""
    api = open_api(token)
    from huggingface_hub import RepoCard

    with told(host(), repo, f"{endpoint()}/{repo}"), TemporaryDirectory() as folder:
        path = api.hf_hub_download(repo, "README.md", repo_type=kind, local_dir=folder)
        return str(RepoCard(Path(path).read_text("utf-8", "replace"), ignore_metadata_errors=True).text)


def download(known: HubDetails, folder: Path, tell: Tell, kind: RepoType = "model", token: str | None = None) -> None:
    """Fetch the files of `known` into `folder`; what an earlier attempt left there is kept, and a cut file goes on where it
    ends. Each large file's SHA-256 is checked. Raises StudioError, and what `tell` raises."""
    if kind == "model" and not any(each.name.lower().endswith((".safetensors", ".gguf")) for each in known.files):
        raise StudioError("hub.only_gguf" if known.gguf else "hub.no_safetensors", field="repo", repo=known.repo)
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


def only(known: HubDetails, names: Sequence[str]) -> HubDetails:
    """The same repository with no files but these."""
    files = [each for each in known.files if each.name in set(names)]
    return known.model_copy(update={"files": files, "bytes": sum(each.bytes for each in files)})


def drop_partial(folder: Path) -> int:
    """Delete what a download that was killed left of the files at work, which the library begins again; the bytes of it."""
    dropped = 0
    for path in folder.rglob("*.incomplete"):
        dropped += path.stat().st_size
        path.unlink()
    return dropped


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

    open_api(token)
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
    gguf = getattr(info, "gguf", None) or {}
    return HubEntry(
        repo=info.id,
        license=next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), None),
        parameters=weights.total if weights else int(gguf.get("total") or 0),
        bytes=sum(count * _WIDTHS.get(dtype, 1) for dtype, count in types.items()),
        gated=bool(info.gated),
        downloads=info.downloads or 0,
        languages=sorted(tag for tag in tags if re.fullmatch(r"[a-z]{2}", tag)),
    )
