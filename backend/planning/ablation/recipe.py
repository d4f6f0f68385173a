"""From a student and a teacher's answers to the recipe of an ablation.

The recipe measures the student as it is and its teacher, trains the student on the labelled rows, on the teacher's answers
and, where a capture is possible, on its probabilities too, all of it for equal numbers of optimizer steps and with the same
seeds, and measures every model on the same rows. The ids of its stages say variant and seed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from backend.core.errors import StudioError
from backend.core.fields import Labels
from backend.core.refs import DatasetRef, TorchRef
from backend.core.stage import Form
from backend.core.validation import value_problems
from backend.planning.recipes import Recipe, build
from backend.stages.capture import CaptureParams
from backend.stages.distill import STAGE, DistillParams
from backend.training.methods import METHOD_FIELDS, MethodParams

VARIANTS = ("gold", "sequence", "logit")
FIRST_SEED = 42
_OFFLINE_LOGIT_FIELDS = frozenset(METHOD_FIELDS["offline_logit"])
"""What only offline logit distillation takes."""
_METHOD_FIELDS = frozenset(MethodParams.model_fields) | frozenset(METHOD_FIELDS["sequence"])
"""What says how a variant learns."""


class AblationParams(DistillParams):
    """What all variants share, and how many of them there are."""

    student: TorchRef = Field(
        default="",
        title="Student",
        description="Model every variant starts from. Also measured untrained.",
    )
    data: DatasetRef = Field(
        default="",
        title="Teacher's answers",
        description="Dataset answered by a teacher, which is measured too.",
    )
    gold: DatasetRef = Field(
        default="",
        title="Labelled rows",
        description="Human-labelled dataset. All models are evaluated on its rows.",
    )
    max_steps: int = Field(
        default=300,
        ge=1,
        le=1_000_000,
        title="Steps per variant",
        description="Training steps, the same for every variant.",
    )
    seeds: int = Field(
        default=3,
        ge=1,
        le=5,
        title="Seeds",
        description="Repetitions per variant, each with a different row order. With only one, a gain may be luck.",
    )
    split: Annotated[Literal["validation", "test"], Labels({"validation": "Validation", "test": "Test"})] = Field(
        default="validation",
        title="Evaluation split",
        description="Rows all models answer. Choose on validation; use test once, at the end.",
    )
    quantize: bool = Field(
        default=False,
        title="Include INT4",
        description="Also quantizes and measures every trained student.",
    )
    name: str = Field(
        default="ablation",
        min_length=1,
        max_length=60,
        title="Name",
        description="Name of the run and prefix of the students' names.",
    )


FORM = Form(
    params=AblationParams,
    open=("student", "data", "gold", "seeds", "max_steps", "split"),
    offers={"student": ("prune",), "data": ("review", "curate", "judge", "teacher"), "gold": ("dataset",)},
    inactive=STAGE.inactive,
)


def parse(raw: dict[str, Any]) -> AblationParams:
    """Validated parameters. Raises StudioError with every problem at once."""
    try:
        return AblationParams.model_validate(raw)
    except ValidationError as error:
        raise StudioError.of(value_problems(error)) from None


def recipe(params: AblationParams, teacher: str | None, logit: bool, capture: str | None = None) -> Recipe:
    """`teacher`: a model of the studio, None when it is none; `logit`: whether its probabilities can be captured; `capture`:
    one that is there already. Raises StudioError for parameters that no stage takes."""
    variants = VARIANTS if logit else VARIANTS[:2]
    steps = _measured("base", params.student, params)
    if teacher:
        steps.append(_evaluation("teacher", teacher, params))
    if logit and capture is None:
        steps.append(_capture(params, teacher))
        capture = "${capture}"
    for seed in range(FIRST_SEED, FIRST_SEED + params.seeds):
        for variant in variants:
            steps.append(_training(variant, seed, params, capture))
            steps += _measured(f"{variant}-{seed}", f"${{{variant}-{seed}}}", params)
    return build({"name": params.name, "seed": FIRST_SEED, "stages": steps})


def _training(variant: str, seed: int, params: AblationParams, capture: str | None) -> dict[str, Any]:
    own = DistillParams.model_fields.keys() - {"student", "data", "name", "epochs"} - _METHOD_FIELDS
    asked = params.model_dump(
        mode="json", include=own | (_OFFLINE_LOGIT_FIELDS if variant == "logit" else set()), exclude_defaults=True
    )
    asked |= {"student": params.student, "data": params.gold if variant == "gold" else params.data}
    asked |= {"max_steps": params.max_steps, "name": f"{params.name}-{variant}-seed{seed}"}
    if variant == "logit":
        asked |= {"method": "offline_logit", "capture": capture}
    return {"id": f"{variant}-{seed}", "stage": "distill", "seed": seed, "params": asked}


def _capture(params: AblationParams, teacher: str | None) -> dict[str, Any]:
    asked: dict[str, Any] = {"teacher": teacher, "data": params.data, "max_length": params.max_length}
    usual = CaptureParams.model_fields["temperatures"].default
    if params.temperature not in usual:
        asked["temperatures"] = [*usual, params.temperature]
    return {"id": "capture", "stage": "capture", "params": asked}


def _measured(id_: str, model: str, params: AblationParams) -> list[dict[str, Any]]:
    """The evaluation of a model, and of the same in INT4 where that is wanted."""
    steps = [_evaluation(id_, model, params)]
    if params.quantize:
        name = f"{params.name}-{id_}-int4"
        small = {
            "id": f"{id_}-int4",
            "stage": "quantize",
            "params": {"model": model, "precision": "int4", "name": name},
        }
        steps += [small, _evaluation(f"{id_}-int4", f"${{{id_}-int4}}", params)]
    return steps


def _evaluation(id_: str, model: str, params: AblationParams) -> dict[str, Any]:
    return {
        "id": f"{id_}-eval",
        "stage": "evaluate",
        "params": {"model": model, "data": params.gold, "split": params.split},
    }
