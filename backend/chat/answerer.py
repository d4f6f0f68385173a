"""Who answers: a model of the studio or an endpoint. The parameters, checks and opening that teacher and evaluate share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from backend.chat.engine import ChatEngine, Sampling, open_engine
from backend.chat.http import Endpoint, HttpEngine, check_endpoint, check_key_name
from backend.errors import Problem
from backend.schemas import ArtifactView
from backend.stages.base import ModelRef, Params, World


class AnswererParams(Params):
    """Exactly one of `model` and an endpoint, and how it answers."""

    model: ModelRef | None = Field(None, title="Model", description="The model that answers, unless an endpoint does.")
    endpoint_url: str = Field(
        "",
        title="Endpoint address",
        description="The base address of an OpenAI-compatible service, such as `https://host/v1`. The rows are sent "
        "there.",
        max_length=500,
    )
    endpoint_model: str = Field(
        "",
        title="Model at the endpoint",
        description="The name under which the endpoint knows the model.",
        max_length=200,
    )
    endpoint_key_env: str = Field(
        "",
        title="Variable with the key",
        description="The environment variable that holds the access key, such as `OPENAI_API_KEY`. The key itself is "
        "never stored.",
        pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$",
        max_length=100,
    )
    concurrency: int = Field(
        4,
        title="Requests at once",
        description="How many questions the endpoint gets at a time. More is faster, until it refuses because it is "
        "asked too often.",
        ge=1,
        le=64,
    )
    retries: int = Field(
        5,
        title="Retries",
        description="How often a failed request is sent again, with growing pauses. More of them outlast a longer "
        "failure.",
        ge=0,
        le=20,
    )
    timeout: float = Field(
        60.0,
        title="Time-out in seconds",
        description="How long to wait for an answer of the endpoint before the request counts as failed.",
        ge=0.1,
        le=3600,
    )
    max_new_tokens: int = Field(
        0,
        title="Longest answer in tokens",
        description="Longer answers are cut off there. A token is a short piece of a word. 0 takes the length from "
        "the labels or the known answers.",
        ge=0,
        le=8192,
    )
    batch_size: int = Field(
        64,
        title="Rows at once",
        description="How many rows a local model answers together. More is faster and takes more memory.",
        ge=1,
        le=512,
    )


@dataclass
class Answerer:
    """An open engine, and what of it goes into facts, cache and lineage. `identity` changes when its answers may change."""

    engine: ChatEngine
    name: str
    identity: dict[str, Any]
    view: ArtifactView | None


def check_answerer(params: AnswererParams) -> list[Problem]:
    endpoint = bool(params.endpoint_url or params.endpoint_model)
    if endpoint == bool(params.model):
        return [Problem(code="chat.one_teacher", field="model")]
    if not endpoint:
        return []
    return check_endpoint(params.endpoint_url, params.endpoint_model) + check_key_name(params.endpoint_key_env)


def open_answerer(params: AnswererParams, ctx: Any) -> Answerer:
    """Load the model or prepare the endpoint. Raises StudioError when that fails."""
    if params.model:
        view = ctx.input(params.model)
        digests = [view.digest]
        while base := view.facts.get("base"):
            view = ctx.input(base)
            digests.append(view.digest)
        view = ctx.input(params.model)
        return Answerer(open_engine(view, ctx.input), view.name, {"digests": digests}, view)
    endpoint = Endpoint(
        url=params.endpoint_url,
        model=params.endpoint_model,
        key_env=params.endpoint_key_env,
        concurrency=params.concurrency,
        retries=params.retries,
        timeout=params.timeout,
    )
    identity = {"url": endpoint.address, "model": endpoint.model}
    return Answerer(HttpEngine(endpoint), endpoint.model, identity, None)


def answerer_facts(params: AnswererParams, world: World) -> dict[str, Any]:
    """The facts of the model, {} for an endpoint or an unknown reference."""
    known = world.describe(params.model) if params.model else None
    return known.facts if known else {}


def sampling_identity(sampling: Sampling) -> dict[str, Any]:
    """What of the sampling changes an answer: the seed and top-p count only when something is drawn."""
    unused = {"full_length"} if sampling.temperature > 0 else {"full_length", "seed", "top_p"}
    return sampling.model_dump(exclude=unused)
