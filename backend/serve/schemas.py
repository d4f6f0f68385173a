"""What pages, the host and the processes of models tell each other. Pydantic only: everybody may import it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, View
from backend.core.settings import Settings
from backend.process.explain import explain

ModelState = Literal["loading", "ready", "failed"]


class ServedModel(View):
    """A model that the host knows. `memory_bytes`: what its process holds now; `answering`: requests that it answers or that
    wait for it; `idle_seconds`: since its last answer, 0 while it answers; `error`: why it failed."""

    id: str
    name: str
    state: ModelState
    pid: int | None = None
    memory_bytes: int = 0
    answering: int = 0
    idle_seconds: float = 0.0
    error: Problem | None = None


ServerState = Literal["loading", "ready", "stopping", "failed"]


class ServerView(View):
    """A model that the host serves to other programs. `url`: where, up to `/v1`; `key_env`: the variable with its key, empty
    when none is asked for; `counters`: what the server counts (see `backend.serve.openai_api.app.counters`); `error`: why it
    failed."""

    id: str
    name: str
    state: ServerState
    url: str = ""
    key_env: str = ""
    counters: dict[str, int] = {}
    error: Problem | None = None


class Piece(View):
    """A part of an answer. The last one is `done`, without text, and tells how it ended (`finish`: stop or length) and what
    it took. `ttft_ms`: from the beginning of the model's turn to its first token; `decode_tokens_per_s`: after that."""

    text: str = ""
    done: bool = False
    finish: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    ttft_ms: float | None = None
    decode_tokens_per_s: float | None = None


class Choice(BaseModel):
    """The models that an open page shows, by id."""

    models: list[str] = Field(max_length=16)


class Address(BaseModel):
    """Where the host listens on 127.0.0.1, and the token of its start."""

    port: int
    token: str
    pid: int


class BatchLimits(BaseModel):
    """`slots`: sequences that are decoded at a time; `cache_bytes`: memory for their KV cache."""

    slots: int
    cache_bytes: int


class EngineOrder(BaseModel):
    """What the process of an engine is told: the pid of its parent; its artifact, the bases of an adapter and the adapters
    that are attached to it, by id; and how many sequences it may decode together, None for one after another."""

    host: int
    views: dict[str, ArtifactView]
    limits: BatchLimits | None


class ServeOptions(BaseModel):
    """How a model is served to other programs (`slmops serve`)."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(title="Model", description="A model's id or name.")
    host: str = Field(
        default="127.0.0.1", title="Address", description="Address to listen on. Other machines need a key."
    )
    port: int = Field(
        default=8000, ge=0, le=65535, title="Port", description="Port to listen on. 0 uses any free port."
    )
    key_env: str = Field(
        default="SLMOPS_SERVE_KEY",
        min_length=1,
        title="Variable with the API key",
        description="Environment variable with the API key. If empty, no key is required.",
    )
    max_parallel: int = Field(
        default=16, ge=1, le=256, title="Concurrent requests", description="Maximum answers generated at once."
    )
    max_waiting: int = Field(
        default=64,
        ge=0,
        le=10_000,
        title="Longest queue",
        description="Maximum queued requests; more are refused.",
    )
    cache_mb: int = Field(
        default=512,
        ge=16,
        le=1_000_000,
        title="Memory for conversations in MB",
        description="Size of the KV cache in MB.",
    )
    body_mb: int = Field(
        default=2, ge=1, le=64, title="Largest request in MB", description="Maximum size of a request body in MB."
    )
    grace: int = Field(
        default=30,
        ge=0,
        le=600,
        title="Seconds to finish",
        description="Seconds that running answers get when the server stops.",
    )
    force: bool = Field(default=False, title="Short of memory", description="Serve even if memory is short.")


class ServerOrder(BaseModel):
    """What a server below another process is told: the pid of that process and how to serve; `views`: the model, then the bases
    of an adapter, where a stage has them at hand and no store is to be asked."""

    host: int
    options: ServeOptions
    views: list[ArtifactView] = []


def address_file(settings: Settings) -> Path:
    """The file that says where the host is; only its owner may read it."""
    return settings.home / "run" / "serve.json"


def problems_json(error: StudioError) -> dict[str, Any]:
    """`{"problems": [{code, args, field}]}`, arguments as plain values."""
    return {
        "problems": [
            {"code": one.code, "args": {key: _plain(value) for key, value in one.args.items()}, "field": one.field}
            for one in error.problems
        ]
    }


def as_studio_error(error: Exception) -> StudioError:
    """Any failure as one for people."""
    found = explain(error, Settings().home)
    return StudioError.of([Problem(code=found.code, args=found.args, field=found.field)])


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
