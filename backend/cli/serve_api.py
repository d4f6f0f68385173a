"""`slmops serve`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from backend.api.serving import ServeOptions, curl
from backend.api.serving import serve as run
from backend.cli.output import line, note

_FIELDS = ServeOptions.model_fields


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)


def _option(name: str, *names: str) -> Any:
    return typer.Option(*names, help=_FIELDS[name].description)


def serve(
    model: Annotated[str, typer.Argument(help="A model's id, name or folder.")],
    host: Annotated[str, _option("host")] = _FIELDS["host"].default,
    port: Annotated[int, _option("port")] = _FIELDS["port"].default,
    key_env: Annotated[str, _option("key_env", "--api-key-env")] = _FIELDS["key_env"].default,
    max_parallel: Annotated[int, _option("max_parallel")] = _FIELDS["max_parallel"].default,
    max_waiting: Annotated[int, _option("max_waiting")] = _FIELDS["max_waiting"].default,
    cache_mb: Annotated[int, _option("cache_mb")] = _FIELDS["cache_mb"].default,
    body_mb: Annotated[int, _option("body_mb")] = _FIELDS["body_mb"].default,
    grace: Annotated[int, _option("grace")] = _FIELDS["grace"].default,
    force: Annotated[bool, _option("force", "--force")] = False,
) -> None:
    """Serve a model through an OpenAI-compatible API until Ctrl-C."""
    import os
    import signal
    import sys

    from pydantic import ValidationError

    from backend.api import Studio
    from backend.core.errors import StudioError
    from backend.core.validation import value_problems

    studio = Studio.open()
    found = studio.model(model)
    given = {name: value for name, value in locals().items() if name in _FIELDS}
    try:
        options = ServeOptions.model_validate({**given, "model": found.id})
    except ValidationError as error:
        raise StudioError.of(value_problems(error)) from error

    def ready(taken: int, _service: Any) -> None:
        url = f"http://{f'[{host}]' if ':' in host else host}:{taken}/v1"
        line(f"{found.name}: {url}")
        line(curl(url, found.name, key_env if os.environ.get(key_env) else ""))
        sys.stdout.flush()

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn stops gracefully, then raises the signal again
    note(f"Loading {found.name} …")
    try:
        run(studio.settings, options, ready)
    except KeyboardInterrupt:
        return
