"""A studio home with real worker processes that tests start, kill and stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from backend.core.schemas import JobView, RunView, State
from backend.core.settings import Settings
from backend.db import Store
from backend.jobs import heartbeat
from backend.jobs.service import JobService, NewJob
from tests.helpers import PATIENCE, until
from tests.jobs.fake_stages import find

ROOT = Path(__file__).parents[2]


class WorkerHarness:
    """`job` describes a job, `submit` starts a run, `start`/`kill`/`stop` handle the worker."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home).prepare()
        self.store = Store(self.settings.store_url)
        self.service = JobService(self.store, find)
        self.trace_file = home / "trace"
        self.processes: list[subprocess.Popen[bytes]] = []

    def job(self, stage: str, name: str, needs: list[str] | None = None, priority: int = 5, **params: Any) -> NewJob:
        params = {"trace": str(self.trace_file), "name": name, **params}
        return NewJob(stage_id=name, stage=stage, params=params, needs=needs or [], priority=priority)

    def submit(self, *jobs: NewJob, key: str | None = None) -> RunView:
        return self.service.submit("run", list(jobs), key=key)

    def start(self, ready: bool = True, program: str = "tests.jobs.fake_worker") -> subprocess.Popen[bytes]:
        env = {**os.environ, "SLMOPS_HOME": str(self.settings.home)}
        argv = [sys.executable, "-m", program]
        with (self.settings.logs / "worker.log").open("ab") as log:
            process = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log, stderr=log)
        self.processes.append(process)
        if ready:
            self.until(lambda: any(row.pid == process.pid for row in heartbeat.live_workers(self.store)))
        return process

    def kill(self) -> None:
        """kill -9 of the newest worker."""
        self.processes[-1].kill()
        self.processes[-1].wait()

    def stop(self) -> int:
        """A graceful stop of the newest worker; its exit code."""
        self.processes[-1].terminate()
        return self.processes[-1].wait(PATIENCE)

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def until(self, condition: Callable[[], Any]) -> Any:
        return until(condition, lambda: f"{self.states()}\n{self.worker_log()}")

    def job_of(self, run: RunView, name: str) -> JobView:
        return next(job for job in self.service.run(run.id).jobs if job.stage_id == name)

    def reach(self, run: RunView, name: str, *states: State) -> JobView:
        self.until(lambda: self.job_of(run, name).state in states)
        return self.job_of(run, name)

    def finish(self, run: RunView) -> RunView:
        self.until(lambda: all(job.state.ended for job in self.service.run(run.id).jobs))
        return self.service.run(run.id)

    def states(self) -> dict[str, str]:
        return {job.stage_id: f"{job.state} {job.error}" for job in self.store.jobs()}

    def worker_log(self) -> str:
        return (self.settings.logs / "worker.log").read_text()[-3000:]

    def trace(self) -> list[tuple[float, str, str, int]]:
        """(time, event, name, pid) lines that the stages wrote."""
        lines = self.trace_file.read_text().splitlines() if self.trace_file.exists() else []
        return [(float(at), event, name, int(pid)) for at, event, name, pid in (line.split() for line in lines)]

    def starts(self, name: str) -> list[str]:
        return [event for _, event, who, _ in self.trace() if who == name and event.startswith("start")]

    def children(self) -> list[psutil.Process]:
        """Every child process of the stages of this harness that exists, whoever its parent is."""
        found = []
        for process in psutil.process_iter(["cmdline", "environ"]):
            command = process.info["cmdline"] or []
            home = (process.info["environ"] or {}).get("SLMOPS_HOME")
            if "tests.jobs.fake_child" in command and home == str(self.settings.home):
                found.append(process)
        return found


def send(pid: int, number: signal.Signals) -> None:
    os.kill(pid, number)
