"""Push of a model, an adapter or a dataset to a hub: by huggingface_hub's commit API, large files by Git LFS over HTTP.

Nothing is sent unless somebody asked; a new repository is private unless somebody says otherwise. A large file that has
arrived is not sent again by a later attempt; nothing shows in the repository before the one commit at the end.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic import BaseModel

from backend.core.artifacts import MANIFEST, sha256
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.models.hub_card import card, without_local_path
from backend.models.hub_client import endpoint, host, is_repo, open_api
from backend.models.hub_errors import told_push
from backend.models.hub_views import HubFile, RepoType

if TYPE_CHECKING:
    from huggingface_hub import HfApi

KINDS = (Kind.MODEL, Kind.ADAPTER, Kind.ONNX, Kind.DATASET)
CARD = "README.md"
_OWN = {".gitattributes", CARD}
"""What a hub puts into an empty repository itself."""
Tell = Callable[[int, int], None]


class Outgoing(BaseModel):
    """What would be sent: `files` with sizes; `card`: the text of its README.md; `changed`: files whose content is not the
    artifact's own, because it named a folder of this machine."""

    kind: RepoType
    files: list[HubFile]
    bytes: int
    license: str | None
    card: str
    changed: list[str] = []


class Pushed(BaseModel):
    url: str
    commit: str


def outgoing(view: ArtifactView, lineage: Sequence[ArtifactView]) -> Outgoing:
    """Cheap: hashes nothing. Raises StudioError for a kind that is not pushed."""
    contents = _contents(view, lineage)
    files = [HubFile(name=name, bytes=_size(content)) for name, content in contents.items()]
    own = contents[CARD]
    text = own.decode() if isinstance(own, bytes) else own.read_text("utf-8", "replace")
    return Outgoing(
        kind="dataset" if view.kind is Kind.DATASET else "model",
        files=files,
        bytes=sum(each.bytes for each in files),
        license=view.license,
        card=text,
        changed=[name for name, content in contents.items() if isinstance(content, bytes) and name != CARD],
    )


def push(
    view: ArtifactView,
    lineage: Sequence[ArtifactView],
    repo: str,
    token: str | None,
    tell: Tell,
    private: bool = True,
    update: bool = False,
) -> Pushed:
    """Send it. Raises StudioError, and what `tell` (bytes sent and in all, twice a second) raises."""
    if not is_repo(repo) or "/" not in repo:
        raise StudioError("hub.repo_name", field="repo", repo=repo)
    if not token:
        raise StudioError("hub.token_missing")
    api = open_api(token)
    contents = _contents(view, lineage)
    kind: RepoType = "dataset" if view.kind is Kind.DATASET else "model"
    state = _Sending(sum(map(_size, contents.values())))
    failed: list[BaseException] = []
    made: list[Pushed] = []

    def work() -> None:
        try:
            with told_push(host(), repo):
                made.append(_push(api, contents, repo, kind, private, update, state, view.name))
        except BaseException as error:  # told to the thread that waits
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
        tell(state.done, state.total)
    if failed:
        raise failed[0]
    return made[0]


class _Sending:
    """How far it is: whole files, and the place in the one at work."""

    def __init__(self, total: int) -> None:
        self.total, self.whole = total, 0
        self.stream: io.BufferedReader | None = None

    @property
    def done(self) -> int:
        try:
            here = self.stream.tell() if self.stream else 0
        except ValueError:  # just closed
            here = 0
        return min(self.total, self.whole + here)


def _push(
    api: HfApi,
    contents: dict[str, bytes | Path],
    repo: str,
    kind: RepoType,
    private: bool,
    update: bool,
    state: _Sending,
    name: str,
) -> Pushed:
    from huggingface_hub import CommitOperationAdd

    if done := _ready(api, contents, repo, kind, private, update):
        return done
    additions = []
    for path, content in contents.items():
        with _opened(content) as stream:
            addition = CommitOperationAdd(path, stream)
            state.stream = stream if isinstance(stream, io.BufferedReader) else None
            api.preupload_lfs_files(repo, [addition], repo_type=kind, free_memory=False)
            state.stream = None
        addition.path_or_fileobj = content
        state.whole += _size(content)
        additions.append(addition)
    info = api.create_commit(repo, additions, commit_message=f"Push {name} from SLMOps Studio", repo_type=kind)
    return Pushed(url=_url(repo, kind), commit=info.oid)


def _ready(
    api: HfApi, contents: dict[str, bytes | Path], repo: str, kind: RepoType, private: bool, update: bool
) -> Pushed | None:
    """Make the repository, or look at the one that is there; what it holds already where that is all of it."""
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        info: Any = api.repo_info(repo, repo_type=kind, files_metadata=True)
    except RepositoryNotFoundError:
        api.create_repo(repo, repo_type=kind, private=private)
        return None
    there = {each.rfilename: each for each in info.siblings or []}
    if all(name in there and _same(there[name], content) for name, content in contents.items()):
        return Pushed(url=_url(repo, kind), commit=info.sha or "")
    if private and not info.private:
        raise StudioError("hub.push_public", field="repo", repo=repo)
    if there.keys() - _OWN and not update:
        raise StudioError("hub.push_exists", field="repo", repo=repo)
    return None


def _same(there: Any, content: bytes | Path) -> bool:
    """Whether the hub's file has these bytes; a small one is compared by its name in git."""
    from huggingface_hub.utils.sha import git_hash

    if there.size != _size(content):
        return False
    if there.lfs:
        return isinstance(content, Path) and there.lfs.sha256 == sha256(content)
    data = content if isinstance(content, bytes) else content.read_bytes()
    return bool(there.blob_id == git_hash(data))


def _contents(view: ArtifactView, lineage: Sequence[ArtifactView]) -> dict[str, bytes | Path]:
    """Name in the repository -> what is sent; the card is made where the artifact has none."""
    if view.kind not in KINDS:
        raise StudioError("hub.push_kind", field="artifact", ref=view.name, kind=view.kind.value)
    found: dict[str, bytes | Path] = {}
    for path in sorted(view.path.rglob("*")):
        name = path.relative_to(view.path).as_posix()
        if path.is_file() and name != MANIFEST:
            plain = without_local_path(path) if name == "adapter_config.json" else None
            found[name] = path if plain is None else plain
    found.setdefault(CARD, card(view, lineage).encode())
    return found


@contextmanager
def _opened(content: bytes | Path) -> Iterator[BinaryIO]:
    if isinstance(content, bytes):
        yield io.BytesIO(content)
        return
    with content.open("rb") as stream:
        yield stream


def _size(content: bytes | Path) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _url(repo: str, kind: RepoType) -> str:
    return f"{endpoint()}/{'datasets/' if kind == 'dataset' else ''}{repo}"
