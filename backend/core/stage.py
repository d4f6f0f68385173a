"""The shape that every stage has.

A stage is one file: docstring, `Params`, `Result`, `check`, `quote`, `run`, `STAGE`. Form, command line, recipe,
pre-flight check, queue and lineage derive from it, so a parameter is declared once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from backend.core.endpoints import EndpointView, SavedEndpoint
from backend.core.errors import Problem, StudioError
from backend.core.refs import (
    endpoints_of,
    refs_of,
)
from backend.core.renames import renamed
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.units import human_bytes
from backend.core.validation import value_problems

CANCEL_FILE = "cancelled"
"""In the folder of a job that a person cancelled, before it ends; not there when only the worker stops."""


class Params(BaseModel):
    """Base of all parameters: unknown keys are refused, every field carries title, description, default and bounds."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class Result(BaseModel):
    """Base of all results: JSON that the job row keeps. `artifact`: "" of a stage that makes none; `metrics` holds the numbers
    by their contract names."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    artifact: str = ""
    metrics: dict[str, float] = {}
    findings: list[Problem] = []
    """What is bad about a result that is there all the same: the job then ends "with findings", not "succeeded"."""


P = TypeVar("P", bound=Params)
R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class ArtifactInfo:
    """What is known of a referenced artifact before a stage runs. `pending`: an earlier stage will make it, `facts` are
    its forecast."""

    kind: Kind
    facts: dict[str, Any]
    pending: bool = False
    path: str | None = None


class World(Protocol):
    """All that `check` and `quote` may ask. Cheap, no torch."""

    memory_bytes: int
    free_disk_bytes: int
    card_bytes: int
    """Of the smallest graphics card that stages run on here; 0: none, they run on the CPU."""
    processes: int
    """That share a training here."""

    def describe(self, ref: str) -> ArtifactInfo | None:
        """The artifact behind `ref`, or None when there is none."""

    def endpoint(self, name: str) -> EndpointView | None:
        """The saved endpoint of that name."""

    def auditions(self, data: str) -> list[dict[str, Any]]:
        """The facts of the auditions on a dataset, newest first."""

    def trashed(self) -> frozenset[str]:
        """The ids of what lies in the trash, whose folders are still there."""

    def speed(self) -> float:
        """How fast this machine multiplies matrices, relative to the reference (2 cores, float32): 1.0 is equal."""


Report = Callable[[dict[str, Any]], None]
"""Hears of a running stage: `event` (log, progress, metric, artifact) and what belongs to it."""


class Context(Protocol):
    """All that a running stage sees of the world (`backend.jobs.context.StageContext` is the real one)."""

    dir: Path
    """Survives a crash of the job (partial answers, checkpoints) and goes when the job has succeeded, but for the checkpoints
    that a training keeps (backend.files.checkpoints)."""
    cache: Path
    artifacts: Path
    """The artifact store: `<kind>/<id>/`, with what lies in the trash."""
    trashed: frozenset[str]
    """The ids of that."""
    job_id: str
    """The artifact of this job has the id `<kind>-<job_id>`."""
    seed: int

    @property
    def checkpoints(self) -> Path:
        """The folder to resume from."""

    def log(self, text: str, level: str = "info") -> None: ...

    def progress(self, done: float, total: float, note: str = "") -> None:
        """`done` of `total`, in any unit; `note` names the phase."""

    def metric(self, name: str, value: float, step: float) -> None:
        """A point of a curve."""

    def raise_if_cancelled(self) -> None:
        """Call often. Raises Cancelled when a stop was asked."""

    def input(self, ref: str | None) -> ArtifactView:
        """The artifact behind a reference of the parameters. Raises StudioError when there is none or it is gone."""

    def ancestors(self, view: ArtifactView) -> list[ArtifactView]:
        """Everything that `view` was made from, nearest first."""

    def endpoint(self, name: str) -> SavedEndpoint:
        """The saved endpoint of that name. Raises StudioError."""

    def key(self, name: str) -> str:
        """The key of a saved endpoint that was typed; empty where none is kept. Never written anywhere."""

    def scratch(self, name: str) -> Path:
        """An empty folder to build an artifact in."""

    def within(self, folder: Path, report: Report | None = None, given: Iterable[ArtifactView] = ()) -> Context:
        """The context of a stage that runs inside this one: `folder` is its own and keeps what it makes (`made_in`), `report`
        hears what it tells in place of who hears this one, `given` are inputs beside those of this one."""

    def artifact(
        self,
        kind: Kind,
        name: str,
        path: Path,
        *,
        facts: dict[str, Any] | None = None,
        parents: list[str] | None = None,
        license: str | None = None,
    ) -> ArtifactView:
        """Move the finished folder `path` into the store; at most one of a kind."""


@dataclass(frozen=True, kw_only=True)
class Form(Generic[P]):
    """What a page asks. `open`: the fields that stand open, in this order, the rest being folded away; `offers`: field -> the
    stages whose newest result it begins with, the first that has one; `takes_project_model`: `model` begins with what the
    project has come to, ablations counted; `inactive(values)`: fields without effect beside these values of the others;
    `examples(values, facts)`: field -> what can be written into it beside these values of the others, for a model with these
    facts; `presets`: English name -> values that somebody may begin with."""

    params: type[P]
    open: tuple[str, ...]
    offers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    takes_project_model: bool = False
    inactive: Callable[[Mapping[str, Any]], set[str]] = lambda values: set()
    examples: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, str]] | None = None
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Stage(Form[P], Generic[P, R]):
    """One row of the registry. `title`: what it does, on pages; `page`: the page that has its form, by its address; `proposes`:
    what the form begins with on a page, which makes that one of its pages too; `kind`: of the artifact that it makes, None for
    none; `example` must validate; `queue` is the capability that its worker needs; `freeze(params, studio)` puts into the
    parameters, at the start, what the studio holds and may change later; `kind_of(params)`: the kind, where they decide it;
    `parallel(params)`: whether several processes can share the work, as ranks of one training; `hub`: whether it asks the hub,
    and so gets its token."""

    name: str
    title: str
    page: str
    kind: Kind | None
    result: type[R]
    check: Callable[[P, World], list[Problem]]
    quote: Callable[[P, World], Quote]
    run: Callable[[P, Context], R]
    example: dict[str, Any]
    queue: str = "cpu"
    hub: bool = False
    freeze: Callable[[P, Any], P] | None = None
    kind_of: Callable[[P], Kind | None] | None = None
    proposes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parallel: Callable[[P], bool] = lambda params: False

    def makes(self, params: P) -> Kind | None:
        """The kind of what it leaves with these parameters; None where that is no artifact."""
        return self.kind_of(params) if self.kind_of else self.kind

    def parse(self, raw: dict[str, Any]) -> P:
        """Validated parameters; names of earlier versions are understood. Raises StudioError with every problem at once."""
        try:
            return self.params.model_validate(renamed(self.name, raw))
        except ValidationError as error:
            raise StudioError.of(value_problems(error)) from None


AnyForm = Form[Any]
AnyStage = Stage[Any, Any]


def check_refs(params: Params, world: World) -> list[Problem]:
    """A problem for every reference that points nowhere, at the wrong kind, or at a model that can't be used. Every
    stage's `check` begins with it."""
    problems = []
    for name, (ref, mark) in refs_of(params).items():
        known = world.describe(ref)
        if known is None:
            problems.append(Problem(code="core.artifact_unknown", args={"ref": ref}, field=name))
        elif known.kind not in mark.kinds:
            wanted = " / ".join(mark.kinds)
            problems.append(
                Problem(code="core.artifact_kind", args={"ref": ref, "kind": known.kind, "wanted": wanted}, field=name)
            )
        else:
            found = [Problem.model_validate(each) for each in known.facts.get("problems", [])]
            problems += [each.model_copy(update={"field": name}) for each in found]
    for name, endpoint in endpoints_of(params).items():
        if world.endpoint(endpoint) is None:
            problems.append(Problem(code="endpoints.unknown", args={"name": endpoint}, field=name))
    return problems


TIGHT = 0.9
"""Share of the memory that is there from which a quote only just fits."""


def check_fits(quote: Quote, world: World) -> list[Problem]:
    """Problems when a quote needs more memory, on a card or beside it, or more disk than this machine has; not blocking when it
    needs nearly all of the memory."""
    problems = []
    held = (("memory", quote.memory_bytes, world.memory_bytes), ("vram", quote.vram_bytes, world.card_bytes))
    for name, need, have in held:
        if need > TIGHT * have:
            args, over = {"need": human_bytes(need), "have": human_bytes(have)}, need > have
            code = f"core.{name}_{'low' if over else 'tight'}"
            problems.append(Problem(code=code, args=args, blocking=over))
    if quote.disk_bytes > world.free_disk_bytes:
        args = {
            "need": human_bytes(quote.disk_bytes),
            "free": human_bytes(world.free_disk_bytes),
            "path": "SLMOPS_HOME",
        }
        problems.append(Problem(code="core.disk_low", args=args))
    return problems


def check_rows(data: str, split: str, world: World, field: str = "split") -> list[Problem]:
    """A problem when the dataset is known to have no rows in `split`."""
    known = world.describe(data)
    rows = known.facts.get("rows") if known else None
    if rows is None or rows.get(split, 0):
        return []
    return [Problem(code="chat.no_rows", args={"ref": data, "splits": split}, field=field)]
