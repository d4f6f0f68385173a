"""Runs a served model: `serve` from the command line, as a program of its own below the studio's host of models.

As a child it reads a `ServerOrder` as the first line of stdin and leaves when stdin ends; it says `{"port": ...}` or
`{"problems": [...]}` on stdout, then its counters once a second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from backend.core import machine
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.core.settings import Settings
from backend.db import Store
from backend.models import costs, recheck
from backend.process.guards import EXIT_ORPHAN, die_with_parent
from backend.serve import memory, web
from backend.serve.engine_client import EngineSupervisor
from backend.serve.lineage import offered, with_attached
from backend.serve.openai_api.app import Service, application, counters
from backend.serve.openai_api.middleware import LOOPBACK
from backend.serve.schemas import BatchLimits, ServeOptions, ServerOrder, as_studio_error, problems_json

TICK = 1.0
Ready = Callable[[int, Service], object]
"""Told the port and the service as soon as requests are taken."""


def serve(settings: Settings, options: ServeOptions, ready: Ready, given: Sequence[ArtifactView] = ()) -> None:
    """Run until SIGINT or SIGTERM, which lets open answers finish for `options.grace` seconds. `given`: the model with its
    bases, of a job that has checked them; else the store is asked. Raises StudioError when the model can't be served."""
    key = os.environ.get(options.key_env) or None
    local = options.host in LOOPBACK
    if not (local or key):
        raise StudioError("api.key_needed", name=options.key_env)
    views = list(given) or _checked(settings, options)
    with _bound(options) as bound:
        asyncio.run(_run(settings, options, views, bound, key, local, ready))


async def _run(
    settings: Settings,
    options: ServeOptions,
    views: list[ArtifactView],
    bound: socket.socket,
    key: str | None,
    local: bool,
    ready: Ready,
) -> None:
    limits = BatchLimits(slots=options.max_parallel, cache_bytes=options.cache_mb * 1_000_000)
    engine = EngineSupervisor(views, settings, limits)
    try:
        await engine.begin()
        most = options.max_parallel + options.max_waiting
        service = Service(offered(views), engine, most, options.body_mb * 1_000_000)
        ready(bound.getsockname()[1], service)

        async def stop() -> None:
            service.stopping = True

        await web.server(application(service, key, local), stop, options.grace).serve(sockets=[bound])
    finally:
        await engine.close()


def _bound(options: ServeOptions) -> socket.socket:
    try:
        return web.listen(options.host, options.port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StudioError("api.port_taken", host=options.host, port=options.port, reason=reason) from error


def _checked(settings: Settings, options: ServeOptions) -> list[ArtifactView]:
    """The model of the store with all that is served with it."""
    store = Store(settings.store_url)
    views = with_attached(store, options.model)
    if not options.force:
        _check_memory(store, views[0], options.cache_mb * 1_000_000)
    return recheck.for_use(store, settings.prepare().cache, views)


def _check_memory(store: Store, view: ArtifactView, cache: int) -> None:
    running = memory.claims(store)
    need = costs.answer_bytes(view.facts) + cache
    free = machine.available_bytes() - sum(claim.outstanding for claim in running)
    if free < need:
        raise memory.shortage(view, need, need - free, running)


def main() -> int:
    """The command line, as a child of the host of models or of a load test."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return EXIT_ORPHAN
    order = ServerOrder.model_validate_json(line)
    die_with_parent(order.host, signal.SIGTERM)
    threading.Thread(target=_leave_with_host, daemon=True).start()
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print goes to the log
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    def say(content: dict[str, Any]) -> None:
        said.write(json.dumps(content).encode() + b"\n")
        said.flush()

    telling: set[asyncio.Task[None]] = set()

    def ready(port: int, service: Service) -> None:
        say({"port": port})
        telling.add(asyncio.get_running_loop().create_task(_tell(service, say)))

    try:
        serve(Settings().prepare(), order.options, ready, order.views)
    except StudioError as error:
        say(problems_json(as_studio_error(error)))
        return 1
    return 0


async def _tell(service: Service, say: Callable[[dict[str, Any]], None]) -> None:
    with suppress(BrokenPipeError):
        while True:
            say(counters(service))
            await asyncio.sleep(TICK)


def _leave_with_host() -> None:
    while os.read(0, 4096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
