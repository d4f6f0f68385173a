"""Models that the studio serves to other programs: one server process each, below the host."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from typing import Any

from backend.core.errors import StudioError
from backend.core.programs import Programs
from backend.core.schemas import ArtifactView
from backend.core.settings import Settings
from backend.db import Store
from backend.serve.lineage import with_bases
from backend.serve.process import ModelProcess
from backend.serve.schemas import ServeOptions, ServerOrder, ServerState, ServerView


class ServerProcess(ModelProcess):
    """A server and, below it, the process of its model."""

    program = Programs.API_SERVER

    def __init__(self, views: list[ArtifactView], settings: Settings, options: ServeOptions) -> None:
        self._options = options
        self._counters: dict[str, int] = {}
        self._port = 0
        self._stopping = False
        super().__init__(views, settings.cache)

    def seen(self) -> ServerView:
        state: ServerState = "stopping" if self._stopping and self.state != "failed" else self.state
        host = f"[{self._options.host}]" if ":" in self._options.host else self._options.host
        return ServerView(
            id=self.view.id,
            name=self.view.name,
            state=state,
            url=f"http://{host}:{self._port}/v1" if self._port else "",
            key_env=self._options.key_env if os.environ.get(self._options.key_env) else "",
            counters=self._counters,
            error=self.problem if self.state == "failed" else None,
        )

    def stop(self) -> None:
        """Let it finish what it answers, for as long as its options say."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    @property
    def stopped(self) -> bool:
        return self._stopping and self.state == "failed"

    def _order(self) -> ServerOrder:
        return ServerOrder(host=os.getpid(), options=self._options)

    def _take(self, report: dict[str, Any]) -> None:
        super()._take(report)
        self._port = report.get("port", 0)

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self._counters = json.loads(line)


class Servers:
    """All servers of a host, by artifact. Every method belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = Store(settings.store_url)
        self._all: dict[str, ServerProcess] = {}

    def views(self) -> list[ServerView]:
        self._all = {id_: server for id_, server in self._all.items() if not server.stopped}
        return [server.seen() for server in self._all.values()]

    async def start(self, options: ServeOptions) -> ServerView:
        """Raises StudioError when there is no such model, or when it is served already."""
        views: list[Any] = await asyncio.to_thread(with_bases, self._store, options.model)
        known = self._all.get(views[0].id)
        if known and known.state != "failed":
            raise StudioError("api.served", model=known.view.name, url=known.seen().url or "…")
        self._all[views[0].id] = ServerProcess(views, self._settings, options)
        return self._all[views[0].id].seen()

    def stop(self, artifact_id: str) -> None:
        """Nothing happens when it is not served."""
        server = self._all.get(artifact_id)
        if server:
            server.stop()

    def close(self) -> None:
        """Ask all to end; they finish what they answer without the host."""
        for server in self._all.values():
            server.stop()
