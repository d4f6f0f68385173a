"""The frozen views that `backend.api` returns: what pages, command line and scripts see of the store."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


class Kind(StrEnum):
    """What an artifact is. `model`: full torch weights; `adapter`: LoRA on a model; `onnx`: an ONNX Runtime GenAI folder;
    `capture`: a teacher's probabilities on the answers of a dataset; `report`: what a check of a model or of a dataset found
    (facts: report, model or data, passed, failed)."""

    DATASET = "dataset"
    MODEL = "model"
    ADAPTER = "adapter"
    ONNX = "onnx"
    CAPTURE = "capture"
    EVALUATION = "evaluation"
    AUDITION = "audition"
    REPORT = "report"
    PACKAGE = "package"


class State(StrEnum):
    """Life of a job. `waiting`: needs a slot or an earlier stage; `queued`: handed to a worker; `findings`: it ended and made
    its artifact, whose check found something bad; `blocked`: an earlier stage failed or was cancelled."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FINDINGS = "findings"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"

    @property
    def ended(self) -> bool:
        return self in (*FINISHED, State.FAILED, State.CANCELLED, State.BLOCKED)

    @property
    def finished(self) -> bool:
        """It made its artifact: later stages may start."""
        return self in FINISHED

    @property
    def active(self) -> bool:
        """A process may be at work for it."""
        return self in (State.QUEUED, State.RUNNING, State.CANCELLING)


FINISHED = (State.SUCCEEDED, State.FINDINGS)


class Learning(View):
    """How many of a model's `total` parameters (an adapter's counted) a training trains. `modules`: name -> how many of them
    are adapted or trained whole; empty without an adapter. `estimated`: the weights are not there yet to be looked at.
    `learning_rate`: with which it learns, `usual_rates`: between which that usually is."""

    trained: int
    total: int
    modules: dict[str, int] = {}
    estimated: bool = False
    learning_rate: float = 0.0
    usual_rates: tuple[float, float] = (0.0, 0.0)

    @property
    def share(self) -> float:
        return self.trained / max(1, self.total)

    def text(self) -> str:
        """`trains 4.885 M of 139.4 M parameters (3.5%): down_proj ×30, …; learning rate 0.001`, as the command line says
        it."""
        about = "about " if self.estimated else ""
        names = ", ".join(f"{name} ×{count}" for name, count in sorted(self.modules.items()))
        figures = f"{self.trained / 1e6:.4g} M of {self.total / 1e6:.4g} M parameters ({self.share:.1%})"
        return f"trains {about}{figures}{f': {names}' if names else ''}; learning rate {self.learning_rate:g}"


class Quote(View):
    """What a stage will cost: `seconds` on this machine, peak `memory_bytes` of its process, `disk_bytes` kept at the
    end, `tokens` sent to and from a paid endpoint, `money` that they cost in USD as far as prices are known. `stretch`: how
    much longer than the stage's own estimate its last runs took here (1.0: none yet), of which there were `runs`; most runs
    end between `least_seconds` and `most_seconds` (0: not known). `forecast`: the facts that its artifact will have, so
    that later stages can be quoted. `learning`: of a training. `vram`: peak bytes on a graphics card by what holds them, empty
    of work that runs on the CPU."""

    seconds: float
    memory_bytes: int
    disk_bytes: int
    tokens: int = 0
    money: float = 0.0
    stretch: float = 1.0
    runs: int = 0
    least_seconds: float = 0.0
    most_seconds: float = 0.0
    forecast: dict[str, Any] = {}
    learning: Learning | None = None
    vram: dict[str, int] = {}

    @property
    def vram_bytes(self) -> int:
        """Peak bytes on the card; 0 on the CPU."""
        return sum(self.vram.values())


def whole_range(quotes: Iterable[Quote]) -> tuple[float, float]:
    """Least and most seconds of stages one after another: their errors rarely all go one way."""
    each = list(quotes)
    middle = sum(quote.seconds for quote in each)
    below = math.hypot(*(quote.seconds - quote.least_seconds for quote in each))
    above = math.hypot(*(quote.most_seconds - quote.seconds for quote in each))
    return max(0.0, middle - below), middle + above


class ArtifactView(View):
    """One artifact. `facts` are the numbers others need (rows, parameters, layers, vocabulary, license ...); `trashed`: when
    it went to the trash."""

    id: str
    kind: Kind
    name: str
    project: str
    path: Path
    facts: dict[str, Any]
    parents: list[str]
    size_bytes: int
    license: str | None
    digest: str
    job_id: str | None
    created: datetime
    tags: list[str] = []
    trashed: datetime | None = None

    @property
    def taken(self) -> list[Problem]:
        """What an import put right by itself."""
        return [Problem.model_validate(each) for each in self.facts.get("taken", [])]

    @property
    def problems(self) -> list[Problem]:
        """Why it can't be used, as a check found that it had not met when it came in."""
        return [Problem.model_validate(each) for each in self.facts.get("problems", [])]


class JobError(View):
    """Why a job failed: a code with arguments (backend.core.errors) and the last lines of its log for a bug."""

    code: str
    args: dict[str, Any] = {}
    field: str | None = None


class JobView(View):
    """One job: a stage with resolved parameters, where it stands, what it was quoted and what it took. `others_share`: the
    share of the machine's cores that other work kept busy meanwhile; None where nobody measured it."""

    id: str
    run_id: str
    stage_id: str
    stage: str
    params: dict[str, Any]
    project: str
    state: State
    queue: str
    priority: int
    attempts: int
    needs: list[str]
    done: float = 0.0
    total: float = 0.0
    note: str = ""
    eta_seconds: float | None = None
    result: dict[str, Any] = {}
    error: JobError | None = None
    quote: Quote | None = None
    seconds: float | None = None
    peak_memory_bytes: int | None = None
    others_share: float | None = None
    pid: int | None = None
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None

    @property
    def findings(self) -> list[Problem]:
        """What is bad about its result."""
        return [Problem.model_validate(found) for found in self.result.get("findings", [])]

    @property
    def hints(self) -> list[Problem]:
        """What could be better about a result that is sound."""
        return [Problem.model_validate(found) for found in self.result.get("hints", [])]


class RunView(View):
    """One run of a recipe (a single stage is a recipe of one). `number` counts within its project; `notes` are plain text."""

    id: str
    name: str
    project: str
    created: datetime
    jobs: list[JobView]
    number: int = 0
    notes: str = ""
    tags: list[str] = []
    trashed: datetime | None = None

    @property
    def ended(self) -> datetime | None:
        """When its last job ended; None while one has not."""
        return max((job.ended for job in self.jobs if job.ended), default=None) if self.state.ended else None

    @property
    def state(self) -> State:
        states = {job.state for job in self.jobs}
        for state in (State.CANCELLING, State.RUNNING, State.QUEUED):
            if state in states:
                return State.RUNNING if state is State.QUEUED else state
        if State.FAILED in states:
            return State.FAILED
        if State.CANCELLED in states or State.BLOCKED in states:
            return State.CANCELLED
        if State.WAITING in states:
            return State.WAITING
        return State.FINDINGS if State.FINDINGS in states else State.SUCCEEDED


class ProjectView(View):
    """A project: the runs and artifacts of one chain. `trashed`: when it went to the trash."""

    id: str
    name: str
    created: datetime
    trashed: datetime | None = None


class MetricPoint(View):
    name: str
    step: float
    value: float
    at: datetime


class LogLine(View):
    at: datetime
    level: str
    text: str


class WorkerView(View):
    id: str
    host: str
    pid: int
    queues: list[str]
    beat: datetime


class TrashView(View):
    """A project, run or artifact in the trash; `kind` is "project", "run" or the artifact's. A project stands for all in it."""

    id: str
    kind: str
    name: str
    project: str
    size_bytes: int
    trashed: datetime


class Storage(View):
    """Bytes on disk by kind, and what `gc` would free."""

    by_kind: dict[str, int]
    counts: dict[str, int]
    reclaimable: int
    free: int
