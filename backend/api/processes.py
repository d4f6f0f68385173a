"""The processes that the command line starts and keeps: web, host of models, worker."""

from __future__ import annotations

import secrets

from backend.core.errors import StudioError
from backend.core.programs import Programs, command
from backend.core.settings import Settings
from backend.db import Store
from backend.jobs import supervise
from backend.jobs.supervise import WorkerSupervisor, ensure_worker
from backend.process.guards import LockBusy, file_lock
from backend.serve.schemas import address_file

__all__ = ["WorkerSupervisor", "ensure_worker", "keep_studio", "work"]


_GONE_SECONDS = 3.0
"""Within which the processes of a studio that was just killed are gone."""


def keep_studio(settings: Settings, host: str, port: int, worker: bool) -> int:
    """Web process, host of models and, with `worker`, a worker until Ctrl-C or SIGTERM. Call it from the main thread. The
    exit code. Raises StudioError when another studio runs in this home."""
    try:
        with file_lock(address_file(settings).with_suffix(".lock"), _GONE_SECONDS):
            pass
    except LockBusy as error:
        raise StudioError("jobs.second_studio", home=settings.home) from error
    Store(settings.store_url)  # what is wrong with the database is said here, once
    web = command(Programs.WEB, "--host", host, "--port", port)
    token = {"SLMOPS_MADE_UP_TOKEN": secrets.token_urlsafe(24)}  # outlives the web process, so that open pages do too
    commands = [supervise.Command("web", web, env=token, needed=True), supervise.model_host_command(settings)]
    if worker:
        commands.append(supervise.worker_command(settings))
    return supervise.keep_alive(commands)


def work(queues: str = "") -> None:
    """Be a worker of these queues (comma-separated; all that fit this machine when empty). Never returns."""
    from backend.jobs.worker import main

    main(["--queues", queues] if queues else [])
