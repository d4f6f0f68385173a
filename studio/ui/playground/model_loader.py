"""How models get into memory: one attempt a model, shared by all sessions of the web process. Draws nothing."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import Protocol

from backend.api.host import ServeClient, ServedModel
from backend.core.errors import StudioError

FORCEABLE = frozenset({"serve.memory_busy", "serve.memory_models", "serve.memory_short"})
"""Refusals that `force` overrides."""
TRANSIENT = frozenset({"serve.memory_busy", "serve.memory_models"})
"""Refusals that end by themselves, so that one can wait for it."""
POLL_SECONDS, RETRY_SECONDS = 0.2, 2.0
RENEW_SECONDS = 20.0
RELOADS = 3
"""How often a model that was unloaded while it was waited for is loaded anew."""
log = logging.getLogger(__name__)


class StopEvent(Protocol):
    def is_set(self) -> bool: ...


class LoadAttempt:
    """One attempt to load a model, in a thread of its own. `begun`: a monotonic time; `held`: why it waits; `error`: why it
    ended without the model."""

    def __init__(self, client: ServeClient, model: str, force: bool, patient: bool) -> None:
        self.model = model
        self.begun = time.monotonic()
        self.held: StudioError | None = None
        self.error: StudioError | None = None
        self._client = client
        self._force = force
        self._patient = patient
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True, name=f"load {model}").start()

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    def update(self, force: bool, patient: bool) -> None:
        """What somebody asks for while it waits."""
        self._force = self._force or force
        self._patient = self._patient or patient
        self._wake.set()

    def stop(self) -> None:
        """Wait no longer: it ends with the refusal that it waited for."""
        self._stop.set()
        self._wake.set()

    def wait(self, stop: StopEvent) -> None:
        """Until it ended or `stop` is set. Raises StudioError when the model is not there then."""
        while not stop.is_set() and not self._ended.wait(POLL_SECONDS):
            continue
        if self.ended and self.error:
            raise self.error

    def _run(self) -> None:
        try:
            for _attempt in range(1 + RELOADS):
                name = self._request_load()
                if self._became_ready():
                    return
                if self._stop.is_set():
                    break
            raise StudioError("serve.unloaded", model=name)
        except StudioError as error:
            self.error = error
        except Exception as error:
            log.exception("loading %s failed", self.model)
            self.error = StudioError("core.unexpected", reason=str(error))
        finally:
            self.held = None
            self._ended.set()

    def _request_load(self) -> str:
        """The name of the model whose loading has begun."""
        while True:
            self._wake.clear()
            try:
                name = self._client.load(self.model, self._force).name
                self.begun = time.monotonic()
                self.held = None
                return name
            except StudioError as error:
                if self._stop.is_set() or not self._patient or error.code not in TRANSIENT:
                    raise
                self.held = error
            self._wake.wait(RETRY_SECONDS)

    def _became_ready(self) -> bool:
        """Wait until it is loaded; False when somebody unloaded it meanwhile."""
        while True:
            found = served(self._client, self.model)
            if found is None or self._stop.is_set():
                return False
            if found.state == "failed":
                raise StudioError.of([found.error]) if found.error else StudioError("serve.broken")
            if found.state == "ready":
                return True
            time.sleep(POLL_SECONDS)


class ModelLoader:
    """The newest attempt of each model. May be used by threads."""

    def __init__(self, client: ServeClient) -> None:
        self.client = client
        self._all: dict[str, LoadAttempt] = {}
        self._choices: dict[str, tuple[list[str], float]] = {}
        self._lock = threading.Lock()

    def find(self, model: str) -> LoadAttempt | None:
        return self._all.get(model)

    def begin(self, model: str, force: bool = False, patient: bool = False) -> LoadAttempt:
        """The attempt that goes on, else a new one. A model that is loaded already is there at once."""
        with self._lock:
            known = self._all.get(model)
            if known and not known.ended:
                known.update(force, patient)
                return known
            self._all[model] = LoadAttempt(self.client, model, force, patient)
            return self._all[model]

    def unload(self, model: str) -> None:
        """Raises StudioError when there is no host."""
        with self._lock:
            known = self._all.pop(model, None)
        if known:
            known.stop()  # else it would load it again
        self.client.unload(model)

    def choose(self, page: str, models: list[str]) -> None:
        """Keep these in memory while the page `page` is open: call it whenever that is drawn. Nothing happens without a
        host."""
        said, when = self._choices.get(page, ([], 0.0))
        if said == models and time.monotonic() - when < RENEW_SECONDS:
            return
        with suppress(StudioError):
            self.client.choose(page, models)
            now = time.monotonic()
            self._choices = {key: one for key, one in self._choices.items() if now - one[1] < 10 * RENEW_SECONDS}
            self._choices[page] = (models, now)


def served(client: ServeClient, model: str) -> ServedModel | None:
    """What the host says of it. Raises StudioError when there is no host."""
    return next((one for one in client.models() if one.id == model), None)
