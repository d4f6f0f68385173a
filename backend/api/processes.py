"""The processes that the command line starts and keeps: web, host of models, worker."""

from __future__ import annotations

import secrets

from backend.core.programs import Programs, command
from backend.core.settings import Settings
from backend.jobs import supervise
from backend.jobs.supervise import WorkerSupervisor, ensure_worker

__all__ = ["WorkerSupervisor", "ensure_worker", "keep_studio", "work"]


def keep_studio(settings: Settings, host: str, port: int, worker: bool) -> None:
    """Web process, host of models and, with `worker`, a worker until Ctrl-C or SIGTERM. Call it from the main thread."""
    web = command(Programs.WEB, "--host", host, "--port", port)
    token = {"SLMOPS_MADE_UP_TOKEN": secrets.token_urlsafe(24)}  # outlives the web process, so that open pages do too
    commands = [supervise.Command("web", web, env=token), supervise.model_host_command(settings)]
    if worker:
        commands.append(supervise.worker_command(settings))
    supervise.keep_alive(commands)


def work(queues: str = "") -> None:
    """Be a worker of these queues (comma-separated; all that fit this machine when empty). Never returns."""
    from backend.jobs.worker import main

    main(["--queues", queues] if queues else [])
