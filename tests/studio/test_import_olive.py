"""An Olive workflow that is dropped on the page Jobs."""

from __future__ import annotations

import json
from unittest.mock import Mock

import pytest

from backend.files.uploads import receive_upload
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


def test_an_olive_workflow_comes_in_as_a_recipe_and_starts(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = builder.model("tiny"), builder.dataset()
    passes = {"build": {"type": "ModelBuilder", "precision": "fp32", "int4_accuracy_level": 4}}
    passes |= {"tune": {"type": "LoRA", "r": 4, "train_data_config": {}}}
    workflow = json.dumps({"input_model": {"model_path": "/far/tiny"}, "passes": passes})
    with receive_upload(builder.studio.settings, "w.json") as incoming:
        incoming.write(workflow.encode())
        upload = incoming.finish()
    arrives = Mock(side_effect=[upload.id, *[None] * 9])
    monkeypatch.setattr("studio.ui.jobs.import_olive.upload_box", arrives)
    at = show("jobs").button(key="olive_import").click().run()
    assert at.selectbox(key="olive_model").value == model.id and not builder.studio.uploads()
    assert at.button(key="olive_yes").disabled, "no dataset was chosen"
    at.selectbox(key="olive_data").set_value(data.id).run()
    said = words(at).replace("\\", "")
    assert f"model: {model.id}" in said and "int4_accuracy_level = 4 was left out." in said
    at.button(key="olive_yes").click().run()
    (run,) = builder.studio.runs()
    assert [job.stage for job in run.jobs] == ["finetune", "quantize"]
    assert (run.jobs[0].params["rank"], run.jobs[0].params["data"]) == (4, data.id)
