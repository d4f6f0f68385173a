"""Download a model from the hub: fetched file by file, checked, imported like a folder of the user's.

Needs the name of a repository with safetensors, and the network. Leaves a model. What arrived stays over attempts: a retry
fetches only what is missing. The job is the only one that asks the hub, and only because somebody started it.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from backend.core import machine
from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits
from backend.core.units import human_bytes
from backend.models import hub
from backend.models.hub_client import host, is_repo, offline
from backend.models.hub_gguf import only_gguf
from backend.models.probe import license_of
from backend.providers.hub_token import hub_token

BYTES_PER_SECOND = 10_000_000
"""A guess at the line; what the last downloads took corrects it."""
CHECK_MEMORY = 1_500_000_000
"""Of the process that looks at the weights."""


class FetchParams(Params):
    """What is fetched from the hub."""

    repo: str = Field(
        min_length=1,
        max_length=200,
        title="Repository",
        description="Its name on the hub, as owner/name.",
    )
    revision: str = Field(
        "",
        max_length=200,
        title="Revision",
        description="Branch, tag or commit. Leave blank for the newest.",
    )
    size: int = Field(
        0,
        ge=0,
        title="Download size (bytes)",
        description="Used for the estimate, as stated by the hub. 0: unknown.",
    )


class DownloadParams(FetchParams):
    file: str = Field(
        "",
        max_length=300,
        title="GGUF file",
        description="A GGUF file of the repository, in place of its safetensors.",
    )
    accepted: bool = Field(
        False,
        title="License accepted",
        description="Whether you have read and accepted the license of a GGUF file, where it restricts the use.",
    )
    name: Name = ""


class DownloadResult(Result):
    """Metrics: `bytes` of the files that were fetched or there already."""


def check(params: DownloadParams, world: World) -> list[Problem]:
    return check_hub(params) or check_fits(quote(params, world), world)


def check_hub(params: FetchParams) -> list[Problem]:
    """Whether the hub may be asked, and for this name. Asks nothing."""
    problems = []
    if offline():
        problems.append(Problem(code="hub.offline"))
    if not is_repo(params.repo):
        problems.append(Problem(code="hub.repo_name", args={"repo": params.repo}, field="repo"))
    return problems


def quote(params: DownloadParams, world: World) -> Quote:
    return Quote(
        seconds=1 + params.size / BYTES_PER_SECOND,
        memory_bytes=CHECK_MEMORY,
        disk_bytes=_growth(params) * params.size,
    )


def _growth(params: DownloadParams) -> int:
    """Bytes of disk for one that is fetched: it is copied into the store, and a GGUF file's 4-bit weights unpacked before,
    its parts joined."""
    return 11 if params.file else 2


def run(params: DownloadParams, ctx: Context) -> DownloadResult:
    from backend.models.catalogue import take_folder

    token = hub_token(ctx.artifacts.parent)
    whole = hub.details(params.repo, revision=params.revision, token=token)
    known = only_gguf(whole, params.file) if params.file else whole
    folder = ctx.checkpoints / known.commit
    folder.mkdir(exist_ok=True)
    kept = kept_bytes(folder, ctx)
    check_disk(_growth(params) * known.bytes - kept, ctx)

    def tell(done: int, total: int) -> None:
        ctx.progress(done, total, "downloading")
        ctx.raise_if_cancelled()

    hub.download(known, folder, tell, token=token)
    ctx.progress(0, 1, "checking")
    source = _unpacked(folder / params.file, params, known.license, ctx) if params.file else folder
    out = ctx.scratch("out")
    facts = take_folder(source, out)
    facts["hub"] = {"repo": known.repo, "commit": known.commit, "host": host()}
    name = params.name or known.repo.rpartition("/")[2]
    made = ctx.artifact(Kind.MODEL, name, out, facts=facts, license=known.license or license_of(source))
    ctx.progress(1, 1, "done")
    return DownloadResult(artifact=made.id, metrics={"bytes": float(known.bytes)})


def _unpacked(file: Path, params: DownloadParams, stated: str | None, ctx: Context) -> Path:
    """The model of a GGUF file as a folder; `stated`: the repository's license. Raises StudioError for terms that nobody
    accepted; the file stays."""
    from backend.models.gguf import agreed, unpack

    terms = agreed(file, params.accepted, stated)
    folder = ctx.scratch("unpacked")
    unpack(file, terms, folder)
    return folder


def kept_bytes(folder: Path, ctx: Context) -> int:
    """Bytes of the finished files of an earlier attempt; the file that it was at begins again. Both are said."""
    again = hub.drop_partial(folder)
    kept = hub.bytes_here(folder)
    if kept:
        ctx.log(f"{human_bytes(kept)} are here from an earlier attempt.")
    if again:
        ctx.log(f"The earlier attempt was cut off in a file: {human_bytes(again)} are fetched again.")
    return kept


def check_disk(need: int, ctx: Context) -> None:
    """Raises StudioError where so many bytes more have no room."""
    free = machine.free_disk_bytes(ctx.dir)
    if need > free:
        raise StudioError("core.disk_low", need=human_bytes(need), free=human_bytes(free), path="SLMOPS_HOME")


STAGE = Stage(
    name="download",
    title="Download a model",
    page="models",
    open=("repo", "name"),
    kind=Kind.MODEL,
    params=DownloadParams,
    result=DownloadResult,
    check=check,
    quote=quote,
    run=run,
    hub=True,
    example={"repo": "HuggingFaceTB/SmolLM2-135M-Instruct"},
)
