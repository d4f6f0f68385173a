"""Push a model, an adapter or a dataset to the hub, with its card. Only because somebody started it.

Needs a token with write access in HF_TOKEN or the keyring, and the network. Leaves a repository on the hub, private unless said
otherwise, and nothing here. Large files that arrived are not sent again by a retry; the files show after the last one.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from backend.core import stage
from backend.core.errors import Problem
from backend.core.refs import RefTo
from backend.core.schemas import Quote
from backend.core.stage import Context, Params, Stage, World, check_fits, check_refs
from backend.models.hub_client import is_repo, offline
from backend.models.hub_push import KINDS, push
from backend.providers.hub_token import hub_token
from backend.stages.download import BYTES_PER_SECOND

MEMORY = 300_000_000


class PushParams(Params):
    artifact: Annotated[str, RefTo(KINDS)] = Field(
        title="Model or dataset", description="What is sent: a model, an adapter, an ONNX model or a dataset."
    )
    repo: str = Field(
        min_length=1, max_length=200, title="Repository", description="Its name on the hub, as owner/name."
    )
    private: bool = Field(
        True, title="Private", description="Whether a new repository is seen by you and your organization only."
    )
    update: bool = Field(
        False, title="Update", description="Whether files may be added to a repository that has some already."
    )
    size: int = Field(
        0, ge=0, title="Upload size (bytes)", description="For the estimate: what will be sent. 0: not known."
    )


class PushResult(stage.Result):
    """`url` and `commit`: where it is now. Metrics: `bytes` of the files."""

    url: str
    commit: str


def check(params: PushParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if offline():
        problems.append(Problem(code="hub.offline"))
    if not is_repo(params.repo) or "/" not in params.repo:
        problems.append(Problem(code="hub.repo_name", args={"repo": params.repo}, field="repo"))
    return problems or check_fits(quote(params, world), world)


def quote(params: PushParams, world: World) -> Quote:
    return Quote(seconds=1 + params.size / BYTES_PER_SECOND, memory_bytes=MEMORY, disk_bytes=0)


def run(params: PushParams, ctx: Context) -> PushResult:
    view = ctx.input(params.artifact)
    sent = 0

    def tell(done: int, total: int) -> None:
        nonlocal sent
        sent = total
        ctx.progress(done, total, "uploading")
        ctx.raise_if_cancelled()

    token = hub_token(ctx.artifacts.parent)
    made = push(view, ctx.ancestors(view), params.repo, token, tell, params.private, params.update)
    ctx.log(f"{view.name} is at {made.url}, commit {made.commit}.")
    ctx.progress(1, 1, "done")
    return PushResult(url=made.url, commit=made.commit, metrics={"bytes": float(sent)})


STAGE = Stage(
    name="push",
    title="Push to the hub",
    page="models",
    open=("artifact", "repo"),
    kind=None,
    params=PushParams,
    result=PushResult,
    check=check,
    quote=quote,
    run=run,
    hub=True,
    queue="light",
    example={"artifact": "my-model", "repo": "owner/my-model"},
)
