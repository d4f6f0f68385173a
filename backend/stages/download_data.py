"""Download a dataset from the hub: its Parquet, CSV or JSON files, as a source that the form of the page Data offers.

Needs the name of a repository and the network. Leaves files beside the uploads, with their license and origin, for the stage
`dataset` to read like any file of the user's; no code of the repository is fetched or run. What arrived stays over attempts.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import Field

from backend.core import stage
from backend.core.errors import Problem
from backend.core.schemas import Quote
from backend.core.stage import Context, Stage, World, check_fits
from backend.core.units import human_bytes
from backend.files.uploads import Origin, fetched, keep_fetched
from backend.models import hub
from backend.models.hub_client import host
from backend.models.hub_datasets import chosen, stored_names
from backend.models.hub_views import HubDetails
from backend.providers.hub_token import hub_token
from backend.stages.download import BYTES_PER_SECOND, FetchParams, check_disk, check_hub, kept_bytes

MEMORY = 200_000_000


class DownloadDataParams(FetchParams):
    config: str = Field(
        "",
        max_length=200,
        title="Configuration",
        description="Which part of the repository, such as a language. Leave blank for its default.",
    )
    splits: list[str] = Field(
        [],
        max_length=50,
        title="Splits",
        description="Such as train or test. Leave blank for all.",
    )
    files: list[str] = Field(
        [],
        max_length=10_000,
        title="Files",
        description="Names of files, in place of configuration and splits.",
    )


class DownloadDataResult(stage.Result):
    """`source`: the folder that arrived. Metrics: `bytes` of its files."""

    source: str
    license: str | None = None


def check(params: DownloadDataParams, world: World) -> list[Problem]:
    return check_hub(params) or check_fits(quote(params, world), world)


def quote(params: DownloadDataParams, world: World) -> Quote:
    return Quote(seconds=1 + params.size / BYTES_PER_SECOND, memory_bytes=MEMORY, disk_bytes=params.size)


def run(params: DownloadDataParams, ctx: Context) -> DownloadDataResult:
    home = ctx.artifacts.parent
    token = hub_token(home)
    whole = hub.details(params.repo, "dataset", params.revision, token)
    names = chosen(whole, params.config, params.splits, params.files)
    known = hub.only(whole, names)
    key = hashlib.sha256(json.dumps([host(), known.repo, known.commit, sorted(names)]).encode()).hexdigest()[:16]
    source = fetched(home, key)
    if source is None:
        folder = _fetch(known, ctx, token)
        origin = Origin(host=host(), repo=known.repo, commit=known.commit, license=known.license)
        source = keep_fetched(home, key, _arranged(known, stored_names(whole, names), folder), origin)
    ctx.log(
        f"{len(names)} files of {known.repo}, {human_bytes(known.bytes)}, license: {known.license or 'not stated'}."
    )
    ctx.progress(1, 1, "done")
    return DownloadDataResult(source=str(source), license=known.license, metrics={"bytes": float(known.bytes)})


def _fetch(known: HubDetails, ctx: Context, token: str | None) -> Path:
    folder = ctx.checkpoints / known.commit
    folder.mkdir(exist_ok=True)
    kept = kept_bytes(folder, ctx)
    check_disk(known.bytes - kept, ctx)

    def tell(done: int, total: int) -> None:
        ctx.progress(done, total, "downloading")
        ctx.raise_if_cancelled()

    hub.download(known, folder, tell, "dataset", token)
    return folder


def _arranged(known: HubDetails, places: dict[str, str], folder: Path) -> Path:
    """The files in a folder with the name of the repository, and nothing else."""
    made = folder.parent / known.repo.rpartition("/")[2]
    for name, place in places.items():
        target = made / place
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / name).rename(target)
    return made


STAGE = Stage(
    name="download_data",
    title="Download a dataset",
    page="data",
    open=("repo",),
    kind=None,
    params=DownloadDataParams,
    result=DownloadDataResult,
    check=check,
    quote=quote,
    run=run,
    hub=True,
    queue="light",
    example={"repo": "cornell-movie-review-data/rotten_tomatoes"},
)
