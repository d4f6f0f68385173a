"""Who answers: a model of the studio or an endpoint. The parameters, checks and opening that teacher and evaluate share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from backend.core.endpoints import SavedEndpoint
from backend.core.errors import Problem
from backend.core.refs import EndpointRef, ModelRef
from backend.core.schemas import ArtifactView, Quote
from backend.core.stage import Context, Params, World
from backend.inference.protocol import ChatEngine, Sampling, not_here
from backend.inference.time_estimates import PLAIN_MEMORY, Load, answer_seconds, endpoint_seconds
from backend.ml.inference.open import open_engine
from backend.models import costs
from backend.providers.addresses import check_endpoint, check_key_name
from backend.providers.budget import BUDGET_FILE, Budget, Prices, format_usd
from backend.providers.client import Endpoint, HttpEngine
from backend.providers.quirks import QUIRKS_FILE


class RequestParams(Params):
    """How whoever answers is asked."""

    concurrency: int = Field(
        4,
        title="Concurrent requests",
        description="Parallel requests to the endpoint. More is faster, up to its rate limit.",
        ge=1,
        le=64,
    )
    retries: int = Field(
        5,
        title="Retries",
        description="How many times a failed request is retried, with growing pauses.",
        ge=0,
        le=20,
    )
    timeout: float = Field(
        60.0,
        title="Timeout (seconds)",
        description="How long to wait for a response before the request counts as failed.",
        ge=0.1,
        le=3600,
    )
    max_new_tokens: int = Field(
        0,
        title="Maximum answer length (tokens)",
        description="Longer answers are cut off. A token is part of a word. 0 derives it from the labels "
        "or known answers.",
        ge=0,
        le=8192,
    )
    batch_size: int = Field(
        64,
        title="Batch size",
        description="Rows a local model answers together. More is faster but uses more memory.",
        ge=1,
        le=512,
    )
    budget: float = Field(
        0.0,
        title="Budget (USD)",
        description="Maximum spend on endpoints. Requests that would exceed it are not sent. 0 means no limit.",
        ge=0,
        le=1_000_000,
    )


class AnswererParams(RequestParams):
    """Exactly one of `model`, a saved `endpoint` and the address of one, and how it answers."""

    model: ModelRef | None = Field(None, title="Model", description="Local model that answers the rows.")
    endpoint: EndpointRef = Field(
        "",
        title="Saved endpoint",
        description="Saved endpoint that answers the rows. They are sent there.",
        max_length=60,
    )
    endpoint_url: str = Field(
        "",
        title="Endpoint address",
        description="Base URL of an OpenAI-compatible service, such as `https://host/v1`. The rows are sent there.",
        max_length=500,
    )
    endpoint_model: str = Field(
        "",
        title="Endpoint model",
        description="Model name at the endpoint.",
        max_length=200,
    )
    endpoint_key_env: str = Field(
        "",
        title="Key variable",
        description="Environment variable with the access key, such as `OPENAI_API_KEY`. The key is never stored.",
        pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$",
        max_length=100,
    )


@dataclass
class Answerer:
    """An open engine, and what of it goes into facts, cache and lineage. `identity` changes when its answers may change;
    `budget` counts what it costs."""

    engine: ChatEngine
    name: str
    identity: dict[str, Any]
    view: ArtifactView | None
    budget: Budget


def check_answerer(params: AnswererParams, world: World) -> list[Problem]:
    once = bool(params.endpoint_url or params.endpoint_model)
    if once + bool(params.model) + bool(params.endpoint) != 1:
        return [Problem(code="chat.one_teacher", field="model")]
    problems = check_endpoint(params.endpoint_url, params.endpoint_model) if once else []
    known = world.describe(params.model) if params.model else None
    if known and (target := not_here(known.facts)):
        problems.append(Problem(code="quant.not_here", args={"ref": params.model, "target": target}, field="model"))
    problems += check_key_name(params.endpoint_key_env, "endpoint_key_env")
    saved = world.endpoint(params.endpoint) if params.endpoint else None
    if params.budget and not params.model and (once or (saved and not saved.priced)):
        problems.append(Problem(code="endpoints.budget_no_price", field="budget"))
    return problems


def check_budget(params: RequestParams, quote: Quote) -> list[Problem]:
    """A warning when the job will probably stop for its budget."""
    if not params.budget or quote.money <= params.budget:
        return []
    args = {"expected": format_usd(quote.money), "budget": format_usd(params.budget)}
    return [Problem(code="endpoints.budget_low", args=args, field="budget", blocking=False)]


def check_teacher(params: AnswererParams, data: str, quote: Quote, world: World) -> list[Problem]:
    """Warnings about a teacher: a low budget, terms that forbid distillation, an audition on `data` that it failed."""
    saved = world.endpoint(params.endpoint) if params.endpoint else None
    field = "endpoint" if saved else "model"
    problems = check_budget(params, quote)
    if saved and saved.forbids_distillation == "yes":
        problems.append(Problem(code="endpoints.forbidden", args={"name": saved.name}, field=field, blocking=False))
    entries = (
        one for audition in world.auditions(data) for one in audition["candidates"] if _is_candidate(params, one)
    )
    latest = next(entries, None)
    if latest and latest["failed"]:
        args = {"name": latest["name"], "reason": latest["failed"]}
        problems.append(Problem(code="endpoints.failed_audition", args=args, field=field, blocking=False))
    return problems


def _is_candidate(params: AnswererParams, candidate: dict[str, Any]) -> bool:
    if params.endpoint:
        return bool(candidate.get("endpoint") == params.endpoint)
    return bool(params.model) and params.model in (candidate.get("model"), candidate["name"])


def endpoint_cost(name: str, world: World, load: Load) -> float:
    """USD that `load` will probably cost at a saved endpoint; 0 where prices or the endpoint are unknown."""
    saved = world.endpoint(name) if name else None
    if saved is None:
        return 0.0
    prices = Prices(input=saved.input_price or 0.0, output=saved.output_price or 0.0)
    return prices.cost(load.rows * load.prompt, load.rows * load.answer)


def answer_quote(who: AnswererParams, load: Load, world: World, price_share: float = 1.0) -> Quote:
    """What it takes to answer `load`; the disk is another's matter. `price_share`: what a request costs, of its price."""
    if not who.model:
        seconds = endpoint_seconds(load, who.concurrency)
        money = endpoint_cost(who.endpoint, world, load) * price_share
        return Quote(seconds=seconds, memory_bytes=PLAIN_MEMORY, disk_bytes=0, tokens=int(load.tokens), money=money)
    facts = answerer_facts(who, world)
    seconds = answer_seconds(facts, load) / world.speed()
    return Quote(seconds=seconds, memory_bytes=costs.answer_bytes(facts), disk_bytes=0)


def open_budget(params: RequestParams, ctx: Context) -> Budget:
    """The budget of a job; it resumes where an earlier attempt stopped."""
    return Budget(params.budget, ctx.dir / BUDGET_FILE, ctx.metric)


def open_answerer(params: AnswererParams, ctx: Context, budget: Budget | None = None) -> Answerer:
    """Load the model or prepare the endpoint; `budget` is given where several share one. Raises StudioError when that
    fails."""
    budget = budget or open_budget(params, ctx)
    if params.model:
        view = ctx.input(params.model)
        digests = [view.digest]
        while base := view.facts.get("base"):
            view = ctx.input(base)
            digests.append(view.digest)
        view = ctx.input(params.model)
        return Answerer(open_engine(view, ctx.input), view.name, {"digests": digests}, view, budget)
    endpoint = _endpoint(params, ctx)
    identity = {"url": endpoint.address, "model": endpoint.model} | ({"body": endpoint.body} if endpoint.body else {})
    engine = HttpEngine(endpoint, budget, ctx.key(params.endpoint), ctx.log)
    return Answerer(engine, params.endpoint or endpoint.model, identity, None, budget)


def _endpoint(params: AnswererParams, ctx: Context) -> Endpoint:
    how = params.model_dump(include={"concurrency", "retries", "timeout"}) | {"quirks": ctx.cache / QUIRKS_FILE}
    if not params.endpoint:
        return Endpoint(url=params.endpoint_url, model=params.endpoint_model, key_env=params.endpoint_key_env, **how)
    return endpoint_from_saved(ctx.endpoint(params.endpoint), **how)


def endpoint_from_saved(saved: SavedEndpoint, **how: Any) -> Endpoint:
    """A saved endpoint as it is asked; `how`: concurrency, retries, timeout."""
    return Endpoint(
        name=saved.name,
        url=saved.url,
        model=saved.model,
        key_env=saved.key_env,
        protocol=saved.protocol,
        api_version=saved.api_version,
        requests_per_minute=saved.requests_per_minute,
        tokens_per_minute=saved.tokens_per_minute,
        headers=saved.headers,
        body=saved.body,
        prices=Prices(input=saved.input_price or 0.0, output=saved.output_price or 0.0),
        **how,
    )


def answerer_facts(params: AnswererParams, world: World) -> dict[str, Any]:
    """The facts of the model, {} for an endpoint or an unknown reference."""
    known = world.describe(params.model) if params.model else None
    return known.facts if known else {}


def sampling_identity(sampling: Sampling) -> dict[str, Any]:
    """What of the sampling changes an answer: the seed and top-p count only when something is drawn, a constraint where
    there is one."""
    unused = {"full_length"} if sampling.temperature > 0 else {"full_length", "seed", "top_p"}
    unused |= set() if sampling.constraint else {"constraint"}
    return sampling.model_dump(exclude=unused)
