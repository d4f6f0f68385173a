"""What is asked of the trainings that can learn a teacher's rationales beside its answers. No torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from backend.core.fields import Labels
from backend.training.params import TrainingParams


class RationaleParams(TrainingParams):
    """Of the trainings that can learn a teacher's rationales as well."""

    rationale: Annotated[
        Literal["ignore", "multitask"], Labels({"ignore": "Ignore", "multitask": "Train as a second task"})
    ] = Field(
        default="ignore",
        title="Teacher's rationales",
        description="Trains on the teacher's rationales as a second task. Answers stay immediate.",
    )
    rationale_weight: float = Field(
        default=1.0,
        gt=0,
        le=10,
        title="Rationale weight",
        description="Weight of a rationale relative to an answer. At 1 both count equally.",
    )

    @property
    def learns_rationales(self) -> bool:
        """Each answer then stands alone, so that both tasks keep their weight."""
        return self.rationale == "multitask"
