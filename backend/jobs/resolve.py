"""From a job row to the spec of its child process: earlier results in place of `${id}`, artifacts and their ancestors by id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from backend.core.endpoints import EndpointView, SavedEndpoint
from backend.core.errors import StudioError
from backend.core.refs import endpoints_of, referenced_ids, refs_of, replace_refs
from backend.core.schemas import ArtifactView, RunView
from backend.core.settings import Settings
from backend.core.stage import AnyStage, Params
from backend.db import Store
from backend.db import tables as t
from backend.jobs.context import Access, JobSpec
from backend.providers import keys
from backend.providers.extras import variables_in
from backend.providers.hub_token import VARIABLE as HUB_TOKEN
from backend.providers.hub_token import hub_token
from backend.providers.variables import secret

Find = Callable[[str], AnyStage]


def processes_of(job: t.Job, find: Find, available: int) -> int:
    """How many of the available processes will share a job."""
    stage = find(job.stage)
    try:
        return available if available > 1 and stage.parallel(stage.parse(job.params)) else 1
    except StudioError:
        return 1  # it will fail in its own words


def job_spec(store: Store, settings: Settings, job: t.Job, find: Find, processes: int = 1) -> JobSpec:
    """The order of a job. Raises StudioError when a referenced artifact is gone or the parameters don't validate.

    The row keeps `resolved`, so that a second attempt works on the very same artifacts.
    """
    run = store.run(job.run_id)
    asked = job.resolved or replace_refs(job.params, _outputs(run, referenced_ids(job.params)))
    params = find(job.stage).parse(asked)
    ids = {field: store.artifact(ref, mark.kinds).id for field, (ref, mark) in refs_of(params).items()}
    resolved = _pin(params, ids)
    store.update_job(job.id, resolved=resolved)
    return JobSpec(
        job_id=job.id,
        stage=job.stage,
        params=resolved,
        seed=job.seed,
        dir=settings.jobs / job.id,
        artifacts=settings.artifacts,
        cache=settings.cache,
        project=run.project,
        inputs=_with_ancestors(store, list(ids.values())),
        names={id_: id_ for id_ in ids.values()},
        endpoints=_endpoints(store, endpoints_of(params).values()),
        trashed=store.trashed_artifacts(),
        processes=processes,
    )


def _outputs(run: RunView, wanted: set[str]) -> dict[str, str]:
    """AnyStage id -> artifact that it made. Raises StudioError for a stage that has made none."""
    made = {job.stage_id: job.result["artifact"] for job in run.jobs if job.result.get("artifact")}
    for stage_id in sorted(wanted - made.keys()):
        raise StudioError("core.artifact_unknown", ref=f"${{{stage_id}}}")
    return made


def _endpoints(store: Store, names: Iterable[str]) -> dict[str, SavedEndpoint]:
    """As they are saved now: what was corrected counts for the next attempt. Raises StudioError when one is gone."""
    return {
        name: SavedEndpoint.model_validate(_endpoint(store, name).model_dump(include=set(SavedEndpoint.model_fields)))
        for name in names
    }


def _endpoint(store: Store, name: str) -> EndpointView:
    held = store.find_endpoint(name)
    if held is None:
        raise StudioError("endpoints.unknown", name=name)
    return held


def job_access(store: Store, settings: Settings, order: JobSpec, hub: bool) -> Access:
    """The secrets of a job: keys of its endpoints, and the token of one that asks the hub. Raises StudioError as `job_keys`."""
    typed = set(leaves_named("endpoint_key_env", order.params))
    named = {each.key_env for each in order.endpoints.values()} | typed
    named = named.union(*(variables_in(each.headers) for each in order.endpoints.values()))
    found = {name: value for name in named if (value := secret(name))}
    if hub and (token := hub_token(settings.home)):
        found[HUB_TOKEN] = token
    asks = bool(order.endpoints) or any(leaves_named("endpoint_url", order.params))
    return Access(keys=job_keys(store, settings, order.endpoints), variables=found, network=hub or asks)


def leaves_named(name: str, content: Any) -> Iterator[str]:
    """Texts that stand under this name, at any depth of JSON content."""
    if isinstance(content, dict):
        if isinstance(content.get(name), str) and content[name]:
            yield content[name]
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from leaves_named(name, each)


def job_keys(store: Store, settings: Settings, names: Iterable[str]) -> dict[str, str]:
    """The kept keys of these endpoints; one that the keyring lost counts only where no variable is named. Raises StudioError
    when a key is needed and can't be read."""
    found = {}
    for endpoint in (_endpoint(store, name) for name in names):
        if endpoint.key_kept:
            key = keys.read(settings.home, endpoint.name)
            if key:
                found[endpoint.name] = key
            elif not secret(endpoint.key_env):
                raise StudioError("keys.gone", name=endpoint.name)
    return found


def _pin(params: Params, ids: dict[str, str]) -> dict[str, Any]:
    """All parameters as JSON, with artifact ids in the reference fields (`field`, or `field.index` of a list)."""
    resolved = params.model_dump(mode="json")
    for field, artifact_id in ids.items():
        name, _, index = field.partition(".")
        if index:
            resolved[name][int(index)] = artifact_id
        else:
            resolved[name] = artifact_id
    return resolved


def _with_ancestors(store: Store, ids: list[str]) -> dict[str, ArtifactView]:
    found: dict[str, ArtifactView] = {}
    while ids:
        artifact_id = ids.pop()
        if artifact_id not in found:
            found[artifact_id] = store.artifact(artifact_id)
            ids += found[artifact_id].parents
    return found
