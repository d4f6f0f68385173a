"""Adapters of PEFT and Olive come in beside their base, and answer as they did where they were trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from backend.api import Studio
from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.ml.inference.load import load_model
from backend.models.adapter_files import adapter_folder
from backend.models.archive import holds_adapter
from tests.helpers import build_tiny_model

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random LoRA weights on the tiny model, saved by PEFT."""
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    torch.manual_seed(1)
    tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
    folder = tmp_path_factory.mktemp("peft") / "tuned"
    tuned.peft_config["default"].base_model_name_or_path = "somebody/Tiny-Model"
    tuned.save_pretrained(str(folder))
    return folder


def logits(model: object) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(torch.arange(3, 40)[None]).logits  # type: ignore[operator]
    return found


@pytest.mark.parametrize("olive", [False, True])
def test_it_finds_its_base_and_answers_as_with_peft(
    tiny_model: Path, adapter: Path, tmp_path: Path, olive: bool
) -> None:
    folder = adapter
    if olive:  # as `olive finetune --save_config_file` leaves it, with a copy of the base
        shutil.copytree(adapter, tmp_path / "left/out/adapter")
        shutil.copytree(tiny_model, tmp_path / "left/out/model")
        (tmp_path / "left/out/config.json").write_text('{"passes": {}}')
        assert adapter_folder(tmp_path / "left/out") == tmp_path / "left/out/adapter"
        folder = Path(shutil.make_archive(str(tmp_path / "out"), "zip", tmp_path / "left"))
        assert holds_adapter(folder), "the base can be chosen"
    studio = Studio.open(home=tmp_path / "home")
    base = studio.import_model(tiny_model, "tiny-model")
    made = studio.import_model(folder, "mine")
    assert made.kind is Kind.ADAPTER and made.parents == [base.id] and made.facts["base"] == base.id
    assert [each.code for each in made.taken] == ["adapters.base_taken"]
    expected = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), str(adapter)).eval()
    torch.testing.assert_close(logits(load_model(made, studio.artifact)), logits(expected))
    assert studio.import_model(folder, "mine").id == made.id


def test_without_its_base_it_says_which_one_to_import(adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"“somebody/Tiny-Model”.*“tiny-model”"):
        Studio.open(home=tmp_path / "home").import_model(adapter, "mine")


def test_another_model_of_that_name_is_refused(adapter: Path, tmp_path: Path) -> None:
    studio = Studio.open(home=tmp_path / "home")
    studio.import_model(build_tiny_model(tmp_path / "other", hidden=64), "tiny-model")
    with pytest.raises(StudioError, match="does not fit"):
        studio.import_model(adapter, "mine")


@pytest.mark.parametrize(("key", "value", "code"), [("peft_type", "IA3", "adapters.kind"), ("r", "4", "models.value")])
def test_what_is_no_lora_adapter_is_refused(adapter: Path, tmp_path: Path, key: str, value: str, code: str) -> None:
    folder = tmp_path / "a"
    shutil.copytree(adapter, folder)
    content = json.loads((folder / "adapter_config.json").read_text("utf-8")) | {key: value}
    (folder / "adapter_config.json").write_text(json.dumps(content))
    with pytest.raises(StudioError) as refused:
        Studio.open(home=tmp_path / "home").import_model(folder, "mine")
    assert refused.value.problems[0].code == code
