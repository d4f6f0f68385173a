"""The one thing that page tests replace: a facade with invented runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from backend.errors import StudioError
from backend.schemas import JobError, JobView, LogLine, Point, Quote, RunView, State, Storage, WorkerView


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def job(run_id: str, stage: str, state: State, stage_id: str = "", **more: Any) -> JobView:
    base: dict[str, Any] = {
        "id": f"{run_id}-{stage_id or stage}",
        "run_id": run_id,
        "stage_id": stage_id or stage,
        "stage": stage,
        "params": {},
        "project": "p",
        "state": state,
        "queue": "cpu",
        "priority": 5,
        "attempts": 1,
        "needs": [],
        "quote": Quote(seconds=95, memory_bytes=1_600_000_000, disk_bytes=540_000_000),
        "created": ago(9),
    }
    if state in (State.SUCCEEDED, State.FAILED):
        base |= {"started": ago(8), "ended": ago(6), "seconds": 118.0, "peak_memory_bytes": 1_412_000_000}
    if state is State.RUNNING:
        base |= {"started": ago(2), "done": 84, "total": 240, "note": "Step 84 of 240", "eta_seconds": 213.0}
    return JobView.model_validate(base | more)


def running() -> RunView:
    return RunView(
        id="r-running",
        name="quickstart",
        project="p",
        created=ago(9),
        jobs=[
            job("r1", "dataset", State.SUCCEEDED, result={"artifact": "dataset-x", "metrics": {"rows": 1200}}),
            job("r1", "finetune", State.RUNNING, "teacher"),
            job("r1", "evaluate", State.WAITING),
        ],
    )


def failed() -> RunView:
    error = JobError(code="core.memory_out")
    return RunView(
        id="r-failed",
        name="support-intents",
        project="p",
        created=ago(60),
        jobs=[
            job("r2", "dataset", State.SUCCEEDED),
            job("r2", "finetune", State.FAILED, error=error, attempts=3),
            job("r2", "evaluate", State.BLOCKED),
        ],
    )


def finished() -> RunView:
    metrics = {
        "accuracy": 0.9312,
        "macro_f1": 0.9075,
        "ttft_ms": 41.2,
        "decode_tokens_per_s": 96.4,
        "size_bytes": 92_400_000.0,
        "peak_memory_bytes": 310_000_000.0,
    }
    return RunView(
        id="r-done",
        name="finetune",
        project="p",
        created=ago(60 * 26),
        jobs=[
            job("r3", "dataset", State.SUCCEEDED),
            job("r3", "finetune", State.SUCCEEDED),
            job("r3", "evaluate", State.SUCCEEDED, result={"artifact": "evaluation-x", "metrics": metrics}),
        ],
    )


class FakeStudio:
    """Answers like `backend.api.Studio`; keeps what it was asked to do in `calls`."""

    def __init__(self, runs: list[RunView] | None = None, worker: bool = True) -> None:
        self.known = runs or []
        self.worker = worker
        self.calls: list[tuple[str, ...]] = []

    def runs(self, limit: int = 50) -> list[RunView]:
        return self.known[:limit]

    def run(self, run_id: str) -> RunView:
        for run in self.known:
            if run.id == run_id:
                return run
        raise StudioError("jobs.run_unknown", ref=run_id)

    def logs(self, job_id: str, last: int = 200) -> list[LogLine]:
        return [LogLine(at=ago(1), level="info", text=f"a line of {job_id}")]

    def points(self, job_id: str, name: str | None = None) -> list[Point]:
        if not job_id.endswith(("teacher", "finetune")):
            return []
        falling = [Point(name="loss", step=step, value=2.4 / (1 + step / 20), at=ago(1)) for step in range(0, 84, 2)]
        return falling + [
            Point(name="eval_loss", step=step, value=2.5 / (1 + step / 22), at=ago(1)) for step in (20, 60)
        ]

    def storage(self) -> Storage:
        used = {"dataset": 1_200_000, "model": 540_000_000, "onnx": 92_000_000}
        return Storage(by_kind=used, counts=dict.fromkeys(used, 1), reclaimable=0, free=81_000_000_000)

    def workers(self) -> list[WorkerView]:
        return [WorkerView(id="w", host="workbench", pid=1, queues=["cpu"], beat=ago(0))] if self.worker else []

    def recipes(self) -> list[tuple[str, str, Path]]:
        return [("quickstart", "From data to a measured small model.", Path("quickstart.yaml"))]

    def recipe_of(self, run_id: str) -> str:
        return f"name: {run_id}\n"

    def start_recipe(self, recipe: str, overrides: dict[str, str] | None = None, key: str | None = None) -> RunView:
        self.calls.append(("start", recipe, str(key)))
        self.known = [running(), *self.known]
        return self.known[0]

    def cancel_run(self, run_id: str) -> None:
        self.calls.append(("cancel_run", run_id))

    def cancel(self, job_id: str) -> None:
        self.calls.append(("cancel", job_id))

    def retry(self, job_id: str) -> None:
        self.calls.append(("retry", job_id))
