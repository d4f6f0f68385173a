"""Conversion by Olive: what is refused, killed or left behind."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from backend.core.errors import Cancelled, StudioError
from backend.ml.compression import olive_export
from backend.models.quantization import Scheme
from tests.helpers import build_tiny_model

pytestmark = pytest.mark.ml


FLOAT = Scheme(precision="fp32")


def test_remote_code_and_hub_tokens_are_off_in_every_workflow(tmp_path: Path) -> None:
    for scheme in (Scheme(precision="int4", tied=True), Scheme(precision="int8"), FLOAT):
        config = olive_export.olive_config(tmp_path, tmp_path, scheme)
        assert config["passes"]["build"]["extra_options"] == {"hf_remote": False, "hf_token": "false"}


def test_the_workflow_that_is_kept_names_files_and_no_folders(tmp_path: Path) -> None:
    source, built, target = tmp_path / "own" / "weights", tmp_path / "built", tmp_path / "target"
    build_tiny_model(source, hidden=64)
    built.mkdir()
    target.mkdir()
    (built / "genai_config.json").write_text(json.dumps({"model": {}}))
    scheme = Scheme(precision="int4", rounding="gptq", tied=True)
    config = olive_export.olive_config(source, tmp_path / "work", scheme, tmp_path / "work" / "rows.jsonl")
    olive_export.collect_export(built, source, target, config)
    kept = json.loads((target / "olive.json").read_text())
    assert str(tmp_path) not in json.dumps(kept)
    assert kept["passes"]["quantize"]["data_config"]["load_dataset_config"]["data_files"] == "rows.jsonl"
    assert kept["input_model"]["model_path"] == "model"


def test_a_workflow_that_writes_no_model_is_an_error_though_olive_exits_well(tmp_path: Path) -> None:
    folder = build_tiny_model(tmp_path / "model", hidden=64)
    (folder / "model.safetensors").unlink()
    said: list[str] = []
    work = tmp_path / "work"
    config = olive_export.olive_config(folder, work, FLOAT)
    with pytest.raises(StudioError) as caught:
        olive_export.run_olive(config, work, lambda phase: None, said.append)
    assert caught.value.code == "chat.olive_nothing" and said
    assert "\n" not in str(caught.value)


def test_a_cancel_kills_olive(tmp_path: Path) -> None:
    folder = build_tiny_model(tmp_path / "model", hidden=64)
    work = tmp_path / "work"

    def watch(phase: str) -> None:
        if psutil.Process().children():
            raise Cancelled

    with pytest.raises(Cancelled):
        olive_export.run_olive(olive_export.olive_config(folder, work, FLOAT), work, watch, print)
    assert not list(work.rglob("*.onnx")), "it was not waited for"
    assert not [child for child in psutil.Process().children() if "olive" in " ".join(child.cmdline())]


def test_a_model_that_can_not_run_is_caught_by_asking(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    build_tiny_model(folder, hidden=64)
    (folder / "genai_config.json").write_text(json.dumps({"model": {"type": "llama"}}))
    with pytest.raises(StudioError) as caught:
        olive_export.run_smoke_test(folder, [[1, 2]], lambda: None)
    assert caught.value.code == "chat.onnx_stopped" and "status 1" in str(caught.value)
