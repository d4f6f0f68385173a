"""Download a model from the hub: fetched file by file, checked, imported like a folder of the user's.

Needs the name of a repository with safetensors, and the network. Leaves a model. What arrived stays over attempts: a retry
fetches only what is missing. The job is the only one that asks the hub, and only because somebody started it.
"""

from __future__ import annotations

from pydantic import Field

from backend.core import machine
from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.schemas import Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits
from backend.core.units import human_bytes
from backend.models import hub
from backend.models.probe import license_of
from backend.providers.hub_token import hub_token

BYTES_PER_SECOND = 10_000_000
"""A guess at the line; what the last downloads took corrects it."""
CHECK_MEMORY = 1_500_000_000
"""Of the process that looks at the weights."""


class DownloadParams(Params):
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
    name: Name = ""


class DownloadResult(Result):
    """Metrics: `bytes` of the files that were fetched or there already."""


def check(params: DownloadParams, world: World) -> list[Problem]:
    problems = []
    if hub.offline():
        problems.append(Problem(code="hub.offline"))
    if not hub.is_repo(params.repo):
        problems.append(Problem(code="hub.repo_name", args={"repo": params.repo}, field="repo"))
    return problems or check_fits(quote(params, world), world)


def quote(params: DownloadParams, world: World) -> Quote:
    return Quote(
        seconds=1 + params.size / BYTES_PER_SECOND,
        memory_bytes=CHECK_MEMORY,
        disk_bytes=2 * params.size,  # fetched, then copied into the store
    )


def run(params: DownloadParams, ctx: Context) -> DownloadResult:
    from backend.models.catalogue import take_folder

    token = hub_token(ctx.artifacts.parent)
    known = hub.details(params.repo, revision=params.revision, token=token)
    folder = ctx.checkpoints / known.commit
    folder.mkdir(exist_ok=True)
    kept = hub.bytes_here(folder)
    _check_disk(2 * known.bytes - kept, ctx)
    if kept:
        ctx.log(f"{human_bytes(kept)} are here from an earlier attempt.")

    def tell(done: int, total: int) -> None:
        ctx.progress(done, total, "downloading")
        ctx.raise_if_cancelled()

    hub.download(known, folder, tell, token=token)
    ctx.progress(0, 1, "checking")
    out = ctx.scratch("out")
    facts = take_folder(folder, out)
    facts["hub"] = {"repo": known.repo, "commit": known.commit, "host": hub.host()}
    name = params.name or known.repo.rpartition("/")[2]
    made = ctx.artifact(Kind.MODEL, name, out, facts=facts, license=known.license or license_of(folder))
    ctx.progress(1, 1, "done")
    return DownloadResult(artifact=made.id, metrics={"bytes": float(known.bytes)})


def _check_disk(need: int, ctx: Context) -> None:
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
    example={"repo": "HuggingFaceTB/SmolLM2-135M-Instruct"},
)
