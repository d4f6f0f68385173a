"""Makes a model of one checkpoint of a training, as the training would have made it had it ended at that step.

Needs the checkpoint in the folder of its job, the model that was trained, and the dataset. Leaves what that training leaves: an
adapter, or a full model. Nothing is trained; the checkpoint stays.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import Labels, Name
from backend.core.refs import CaptureRef, DatasetRef, TorchRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.settings import Settings
from backend.core.stage import AnyStage, Context, Params, Stage, World, check_fits, check_refs
from backend.files.checkpoints import FOLDER, RESUMING, steps_in
from backend.models import costs
from backend.stages import distill, finetune, preference, pretrain
from backend.training.control import TrainingResult
from backend.training.processes import alone
from backend.training.search_space import parse_settings

_STAGES: tuple[AnyStage, ...] = (finetune.STAGE, distill.STAGE, preference.STAGE, pretrain.STAGE)
TARGETS: dict[str, AnyStage] = {each.name: each for each in _STAGES}
_UNMEASURED = ("tokens_per_s",)
"""Of a training, and of nothing that happens here."""


class FromCheckpointParams(Params):
    """`slmops models from-checkpoint` and the card of a training fill in all but `job` and `step`."""

    job: str = Field(title="Training job", pattern=r"^[\w-]+$", description="The job whose checkpoint is taken.")
    step: int = Field(title="Step", ge=1, description="The optimizer step at which the checkpoint was written.")
    training: Annotated[
        Literal["finetune", "distill", "preference", "pretrain"],
        Labels({name: each.title for name, each in TARGETS.items()}),
    ] = Field("finetune", title="Training", description="The stage that this job ran.")
    model: TorchRef = Field(title="Model", description="Model that was trained; the student when distilling.")
    data: DatasetRef = Field(title="Dataset", description="What it was trained on.")
    teacher: TorchRef | None = Field(None, title="Teacher", description="That of the distillation, if it had one.")
    capture: CaptureRef | None = Field(None, title="Capture", description="That of the distillation, if it had one.")
    settings: list[str] = Field(
        [],
        title="Settings",
        description="The training's other parameters, such as `rank=16`, where they aren't the defaults.",
    )
    name: Name = ""

    def target(self) -> AnyStage:
        """The stage that trained."""
        return TARGETS[self.training]

    def trained(self) -> Any:
        """The parameters of that training, ended at the step of the checkpoint."""
        inputs = {"student" if self.training == "distill" else "model": self.model, "data": self.data}
        inputs |= {name: ref for name, ref in (("teacher", self.teacher), ("capture", self.capture)) if ref}
        fixed, _wrong = parse_settings(self.settings, self.target().params)
        ended = {"max_steps": self.step, "patience": 0, "min_improvement": 0.0, "keep": "last", "name": self.name}
        return self.target().parse({**fixed, **inputs, **ended})


def check(params: FromCheckpointParams, world: World) -> list[Problem]:
    problems = check_refs(params, world) + parse_settings(params.settings, params.target().params)[1]
    return problems or check_fits(quote(params, world), world)


def quote(params: FromCheckpointParams, world: World) -> Quote:
    """Memory and result are the training's, the time is that of loading and writing."""
    trained = params.target().quote(params.trained(), alone(world))
    model = world.describe(params.model)
    assert model
    return trained.model_copy(update={"seconds": costs.start_seconds(model.facts) / world.speed(), "learning": None})


def run(params: FromCheckpointParams, ctx: Context) -> TrainingResult:
    _take(params, ctx)
    trained = params.trained()
    if not trained.name:
        trained = trained.model_copy(update={"name": f"{ctx.input(params.data).name}-step-{params.step}"[:100]})
    about = {"checkpoint": {"job": params.job, "step": params.step}}
    result: TrainingResult = params.target().run(trained, cast(Context, _Marked(ctx, about)))
    metrics = {name: value for name, value in result.metrics.items() if name not in _UNMEASURED}
    return result.model_copy(update={"metrics": metrics})


class _Marked:
    """The context `outer`, whose artifact has the facts `about` as well."""

    def __init__(self, outer: Context, about: dict[str, Any]) -> None:
        self._outer, self._about = outer, about

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outer, name)

    def artifact(self, kind: Kind, name: str, path: Path, *, facts: dict[str, Any], **more: Any) -> ArtifactView:
        return self._outer.artifact(kind, name, path, facts={**facts, **self._about}, **more)


def _take(params: FromCheckpointParams, ctx: Context) -> None:
    """The checkpoint becomes the one that this job would resume from, at the end of its training. Raises StudioError where it
    is gone."""
    from backend.ml.training.checkpoints import latest_checkpoint, mark_complete

    source = steps_in(Settings(home=ctx.artifacts.parent).jobs / params.job / FOLDER).get(params.step)
    if source is None:
        raise StudioError("checkpoints.gone", job=params.job, step=params.step)
    target = ctx.checkpoints / source.name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for file in source.iterdir():
        if file.is_file() and not file.name.endswith((*RESUMING, ".bin")):
            os.link(file, target / file.name)
    mark_complete(target)
    if latest_checkpoint(ctx.checkpoints) != target:  # else it would train
        raise StudioError("checkpoints.gone", job=params.job, step=params.step)


STAGE = Stage(
    name="from_checkpoint",
    title="Model from checkpoint",
    page="models",
    open=("job", "step", "model", "data"),
    kind=Kind.ADAPTER,
    kind_of=lambda params: params.target().makes(params.trained()),
    params=FromCheckpointParams,
    result=TrainingResult,
    check=check,
    quote=quote,
    run=run,
    example={"job": "j1a2b3c4", "step": 40, "model": "smollm2-135m-instruct", "data": "voice-commands"},
)
