"""Which models are loaded: as many as memory holds, those that people have chosen before all others, none for longer than it is
used."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backend.core import machine
from backend.core.schemas import ArtifactView
from backend.core.settings import Settings
from backend.db import Store
from backend.models import costs, recheck
from backend.serve import memory
from backend.serve.engine_client import EngineClient
from backend.serve.lineage import with_bases
from backend.serve.pins import Pins
from backend.serve.schemas import ServedModel

TICK = 0.5
log = logging.getLogger(__name__)


class Pool:
    """All models of a host. Every method belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._store = Store(settings.store_url)
        self._models: dict[str, EngineClient] = {}
        self._admission = asyncio.Lock()
        self.pins = Pins()

    def models(self) -> list[ServedModel]:
        return [model.served() for model in self._models.values()]

    async def load(self, ref: str, force: bool = False) -> EngineClient:
        """Begin to load an artifact by id or name; one that is loaded or loading stays as it is. `force`: even when
        memory is short. Raises StudioError when there is no such artifact or no memory for it."""
        async with self._admission:
            views = await asyncio.to_thread(with_bases, self._store, ref)
            known = self._models.get(views[0].id)
            if known and known.state != "failed":
                return known
            await self._evict_idle(views[0], force)
            model = EngineClient(views, self._settings, first_use=self._checked)
            self._models[model.view.id] = model
            return model

    async def unload(self, artifact_id: str) -> None:
        """End its process, even when it answers. Nothing happens when it is not loaded."""
        model = self._models.pop(artifact_id, None)
        if model:
            await model.end()

    @asynccontextmanager
    async def use(self, ref: str) -> AsyncIterator[EngineClient]:
        """A ready model, loaded first if need be, that stays for the length of the block. Raises StudioError."""
        model = self._models.get(ref)
        if model is None or model.state == "failed":
            model = await self.load(ref)
        model.answering += 1
        try:
            await model.settled()
            yield model
        finally:
            model.answering -= 1
            model.last_used = time.monotonic()

    async def keep_house(self) -> None:
        """Unload what is idle for too long and what was deleted; never returns."""
        while True:
            await asyncio.sleep(TICK)
            try:
                for model in [model for model in self._models.values() if self._outlived(model)]:
                    await self.unload(model.view.id)
            except Exception:
                log.exception("looking after the models failed; trying again")

    async def close(self) -> None:
        await asyncio.gather(*(self.unload(artifact_id) for artifact_id in list(self._models)))

    def _outlived(self, model: EngineClient) -> bool:
        limit = self._settings.chat_idle_seconds
        bored = model.idle and 0 < limit < time.monotonic() - model.last_used
        return bored or not model.view.path.is_dir()

    def _checked(self, views: list[ArtifactView]) -> list[ArtifactView]:
        """A model that came in before weights were checked is checked when it is first loaded."""
        return recheck.for_use(self._store, self._settings.prepare().cache, views)

    async def _evict_idle(self, view: ArtifactView, force: bool) -> None:
        """Unload models that nobody has chosen, the longest unused first, until memory allows one more. Raises StudioError
        when that is not enough; then all stay, unless `force`."""
        running = await asyncio.to_thread(memory.claims, self._store)
        live = [model for model in self._models.values() if model.state != "failed"]
        free = machine.available_bytes()
        free -= sum(claim.outstanding for claim in running) + sum(model.outstanding for model in live)
        need = costs.answer_bytes(view.facts)
        chosen = self.pins.models()
        idle = [model for model in live if model.idle and model.view.id not in chosen]
        doomed: list[EngineClient] = []
        for model in sorted(idle, key=lambda one: one.last_used):
            if free >= need:
                break
            doomed.append(model)
            free += model.memory_bytes + model.outstanding
        if free < need and not force:
            kept = [memory.Loaded.of(model) for model in live if model not in doomed]
            raise memory.shortage(view, need, need - free, running, kept)
        for model in doomed:
            await self.unload(model.view.id)
