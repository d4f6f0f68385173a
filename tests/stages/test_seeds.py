"""A step's own seed reaches the stage: equal seeds make equal weights, others don't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.db import tables as t
from backend.jobs.context import MemoryContext
from backend.planning import recipes
from backend.stages.distill import STAGE
from tests.helpers import dataset_view, model_view, tiny_dataset
from tests.stages.test_finetune import made
from tests.studio.builder import StudioBuilder


def test_seeds_of_steps_reach_their_jobs_and_the_saved_recipe(home: Path) -> None:
    builder = StudioBuilder(home)
    data, student = builder.dataset(), builder.model()
    params = {"student": student.id, "data": data.id, "max_steps": 5}
    steps: list[dict[str, Any]] = [
        {"id": "own", "stage": "distill", "seed": 7, "params": params},
        {"id": "whole", "stage": "distill", "params": params},
    ]
    recipe = recipes.build({"name": "two", "seed": 3, "stages": steps})
    run = builder.studio.start(builder.studio.plan(recipe))
    seeds = {job.stage_id: seed_of(builder, job.id) for job in run.jobs}
    assert seeds == {"own": 7, "whole": 3}
    again = recipes.build(yaml.safe_load(builder.studio.recipe_of(run.id)))
    assert [again.seed_of(step) for step in again.stages] == [7, 3]


def seed_of(builder: StudioBuilder, job_id: str) -> int:
    with builder.store.session() as session:
        return session.get_one(t.Job, job_id).seed


@pytest.mark.ml
def test_equal_seeds_make_equal_weights_and_others_do_not(tiny_model: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    inputs = [model_view(tiny_model), dataset_view(tiny_dataset(tmp_path / "data"))]
    params = {"student": inputs[0].id, "data": inputs[1].id, "max_steps": 3, "batch_size": 8, "evaluate_rows": 0}

    def weights(name: str, seed: int) -> torch.Tensor:
        ctx = MemoryContext(tmp_path / name, inputs, seed=seed)
        STAGE.run(STAGE.parse(params), ctx)
        return load_file(made(ctx)[0] / "model.safetensors")["model.layers.0.mlp.up_proj.weight"]

    first = weights("first", 1)
    assert torch.equal(first, weights("again", 1))
    assert not torch.equal(first, weights("other", 2))
