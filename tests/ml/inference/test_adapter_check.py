"""An adapter that comes in is compared with its base name by name: it answers as with PEFT, or is refused in a sentence."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from backend.api import Studio
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.ml.inference.load import load_model
from backend.models.weights import check_weights
from tests.helpers import build_tiny_model, model_view

pytestmark = pytest.mark.ml

Tensors = dict[str, Any]
_Q = "base_model.model.model.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def untied(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with an output head of its own."""
    folder = tmp_path_factory.mktemp("untied") / "model"
    shutil.copytree(tiny_model, folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"] + 0.01
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    edit(folder / "config.json", tie_word_embeddings=False)
    return folder


def peft_adapter(base: Path, folder: Path, **config: Any) -> Path:
    """Random weights, as PEFT saves them."""
    torch.manual_seed(1)
    wanted = {"r": 4, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM", **config}
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(init_lora_weights=False, **wanted))
    for name, weights in model.named_parameters():
        if "modules_to_save" in name or (weights.requires_grad and "lora_" not in name):
            weights.data += 0.05
    model.peft_config["default"].base_model_name_or_path = "somebody/Tiny-Model"
    model.save_pretrained(str(folder))
    return folder


def edit(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | values), "utf-8")


def retensor(folder: Path, change: Callable[[Tensors], Tensors | None]) -> None:
    file = folder / "adapter_model.safetensors"
    tensors = load_file(file)
    save_file(change(tensors) or tensors, file, metadata={"format": "pt"})


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(torch.arange(3, 40)[None]).logits
    return found


TAKEN: dict[str, dict[str, Any]] = {
    "all layers": {"target_modules": "all-linear"},
    "DoRA": {"use_dora": True},
    "rsLoRA": {"use_rslora": True, "lora_alpha": 16},
    "ranks by pattern": {"rank_pattern": {"v_proj": 2}, "alpha_pattern": {"v_proj": 32}},
    "one layer": {"layers_to_transform": [1]},
    "bias": {"bias": "all"},
    "a norm saved whole": {"modules_to_save": ["norm"]},
    "the head saved whole": {"modules_to_save": ["lm_head"]},
    "a regular expression": {"target_modules": r".*layers\.1\.self_attn\.(q|k)_proj"},
    "a target too many": {"target_modules": ["q_proj", "c_attn"]},
}


@pytest.mark.parametrize("case", TAKEN)
def test_every_kind_of_lora_answers_as_with_peft_merged_too(untied: Path, tmp_path: Path, case: str) -> None:
    folder = peft_adapter(untied, tmp_path / "a", **TAKEN[case])
    studio = Studio.open(home=tmp_path / "home")
    studio.import_model(untied, "tiny-model")
    made = studio.import_model(folder, "mine")
    expected = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(untied), str(folder))
    plain = logits(AutoModelForCausalLM.from_pretrained(untied))
    assert not torch.allclose(logits(expected), plain, atol=1e-4), "an adapter that changes nothing proves nothing"
    for merged in (False, True):
        mine = load_model(made, studio.artifact, merged=merged)
        torch.testing.assert_close(logits(mine), logits(expected), atol=1e-4, rtol=1e-4)
    assert made.facts["trial"]["end"] == "<|im_end|>"
    assert [each.code for each in made.taken] == ["adapters.base_taken"]


def without(part: str) -> Callable[[Path], None]:
    return lambda folder: retensor(
        folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if part not in name}
    )


def with_tensor(name: str, tensor: Any) -> Callable[[Path], None]:
    return lambda folder: retensor(folder, lambda tensors: {**tensors, name: tensor})


def with_config(**values: Any) -> Callable[[Path], None]:
    return lambda folder: edit(folder / "adapter_config.json", **values)


def spoiled(value: float) -> Callable[[Path], None]:
    def spoil(tensors: Tensors) -> None:
        tensors[f"{_Q}.lora_B.weight"][3, 2] = value

    return lambda folder: retensor(folder, spoil)


def mlx(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapters.safetensors")
    (folder / "adapter_config.json").write_text('{"fine_tune_type": "lora", "lora_parameters": {"rank": 8}}')


def other_tokenizer(folder: Path) -> None:
    text = '{"model": {"vocab": {"a": 0}}, "added_tokens": []}'
    (folder / "tokenizer.json").write_text(text)


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a layer is missing": (without("layers.1."), "adapters.missing"),
    "half of the matrices": (without("lora_B"), "adapters.missing"),
    "a layer too many": (
        with_tensor(f"{_Q.replace('0', '7')}.lora_A.weight", torch.ones(4, 32)),
        "adapters.unexpected",
    ),
    "a head that no configuration names": (
        with_tensor("base_model.model.lm_head.weight", torch.ones(1024, 32)),
        "adapters.unexpected",
    ),
    "another rank": (with_config(r=8), "adapters.rank"),
    "one matrix of another rank": (with_tensor(f"{_Q}.lora_A.weight", torch.ones(2, 32)), "adapters.rank"),
    "a wider model": (with_tensor(f"{_Q}.lora_A.weight", torch.ones(4, 64)), "adapters.other_base"),
    "NaN": (spoiled(float("nan")), "models.not_finite"),
    "infinity": (spoiled(float("-inf")), "models.not_finite"),
    "integers": (with_tensor(f"{_Q}.lora_A.weight", torch.ones(4, 32, dtype=torch.int32)), "adapters.dtype"),
    "targets that are not there": (with_config(target_modules=["c_attn", "c_proj"]), "adapters.targets"),
    "biases of the matrices, which no merge keeps": (with_config(lora_bias=True), "adapters.feature"),
    "a module that was not saved": (with_config(modules_to_save=["norm"]), "adapters.missing"),
    "DoRA without magnitudes": (with_config(use_dora=True), "adapters.missing"),
    "PiSSA": (with_config(init_lora_weights="pissa_niter_4"), "adapters.start"),
    "a classifier": (with_config(task_type="SEQ_CLS"), "adapters.task"),
    "activated LoRA": (with_config(alora_invocation_tokens=[1, 2]), "adapters.feature"),
    "tokens trained alone": (with_config(trainable_token_indices=[5]), "adapters.feature"),
    "a key of a later PEFT": (with_config(lora_of_tomorrow={"x": 1}), "adapters.key"),
    "a value that PEFT refuses": (with_config(layers_to_transform="all"), "adapters.not_built"),
    "targets are a number": (with_config(target_modules=7), "models.value"),
    "MLX": (mlx, "adapters.mlx"),
    "a tokenizer with other tokens": (other_tokenizer, "adapters.tokenizer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_peft_would_make_up_or_leave_out_is_refused(tiny_model: Path, tmp_path: Path, case: str) -> None:
    change, code = REFUSED[case]
    folder = peft_adapter(tiny_model, tmp_path / "a")
    change(folder)
    studio = Studio.open(home=tmp_path / "home")
    studio.import_model(tiny_model, "tiny-model")
    with pytest.raises(StudioError) as refused:
        studio.import_model(folder, "mine")
    assert [problem.code for problem in refused.value.problems] == [code]
    assert refused.value.problems[0].sentence() and not list(studio.settings.cache.glob("import-*"))


def test_a_table_of_both_ends_is_refused_where_it_is_one(tiny_model: Path, tmp_path: Path) -> None:
    studio = Studio.open(home=tmp_path / "home")
    studio.import_model(tiny_model, "tiny-model")
    with pytest.raises(StudioError, match=r"lm_head.*input and output"):
        studio.import_model(peft_adapter(tiny_model, tmp_path / "a", modules_to_save=["lm_head"]), "mine")


NAMES: dict[str, Callable[[str], str]] = {
    "no prefix": lambda name: name.removeprefix("base_model.model."),
    "a name of its own": lambda name: name.replace("lora_A.", "lora_A.default.").replace("lora_B.", "lora_B.default."),
    "compiled": lambda name: f"_orig_mod.{name}",
}


@pytest.mark.parametrize("case", NAMES)
def test_names_of_other_tools_are_put_right_and_that_is_said(tiny_model: Path, tmp_path: Path, case: str) -> None:
    folder = peft_adapter(tiny_model, tmp_path / "a")
    expected = logits(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), str(folder)))
    retensor(folder, lambda tensors: {NAMES[case](name): tensor for name, tensor in tensors.items()})
    studio = Studio.open(home=tmp_path / "home")
    studio.import_model(tiny_model, "tiny-model")
    made = studio.import_model(folder, "mine")
    torch.testing.assert_close(logits(load_model(made, studio.artifact)), expected)
    assert len(made.taken) == 2


def test_an_untrained_one_comes_in_and_that_is_said(tiny_model: Path, tmp_path: Path) -> None:
    folder = peft_adapter(tiny_model, tmp_path / "a")
    retensor(folder, lambda tensors: {n: t * 0 if "lora_B" in n else t for n, t in tensors.items()})
    studio = Studio.open(home=tmp_path / "home")
    studio.import_model(tiny_model, "tiny-model")
    assert "adapters.untrained" in [each.code for each in studio.import_model(folder, "mine").taken]


def test_its_own_chat_template_is_used_when_the_tokens_are_the_same(tiny_model: Path, tmp_path: Path) -> None:
    folder = peft_adapter(tiny_model, tmp_path / "a")
    shutil.copyfile(tiny_model / "tokenizer.json", folder / "tokenizer.json")
    shutil.copyfile(tiny_model / "tokenizer_config.json", folder / "tokenizer_config.json")
    own = "{% for m in messages %}{{ m.role }}> {{ m.content }}<|im_end|>{% endfor %}"
    (folder / "chat_template.jinja").write_text(own)
    studio = Studio.open(home=tmp_path / "home")
    studio.import_model(tiny_model, "tiny-model")
    made = studio.import_model(folder, "mine")
    assert "adapters.own_tokenizer" in [each.code for each in made.taken]
    assert "user> What is the capital of France?<|im_end|>" in made.facts["trial"]["prompt"]


def home_with_two(tiny_model: Path, tmp_path: Path) -> tuple[Studio, ArtifactView, ArtifactView]:
    studio = Studio.open(home=tmp_path / "home")
    one = studio.import_model(tiny_model, "tiny-model")
    other = build_tiny_model(tmp_path / "other")
    retensor_model(other)
    two = studio.import_model(other, "tiny-model", project=studio.store.project("second"))
    return studio, one, two


def retensor_model(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] += 1
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def test_of_two_models_with_its_bases_name_somebody_chooses(tiny_model: Path, tmp_path: Path) -> None:
    studio, one, two = home_with_two(tiny_model, tmp_path)
    folder = peft_adapter(tiny_model, tmp_path / "a")
    with pytest.raises(StudioError, match="--base") as refused:
        studio.import_model(folder, "mine")
    assert one.id in str(refused.value) and two.id in str(refused.value)
    assert studio.import_model(folder, "mine", base=two.id).parents == [two.id]


def test_a_chosen_base_of_another_name_is_said_and_one_of_another_size_refused(
    tiny_model: Path, tmp_path: Path
) -> None:
    studio = Studio.open(home=tmp_path / "home")
    studio.import_model(tiny_model, "renamed")
    studio.import_model(build_tiny_model(tmp_path / "wide", hidden=64), "wide")
    folder = peft_adapter(tiny_model, tmp_path / "a")
    with pytest.raises(StudioError, match="not in this studio"):
        studio.import_model(folder, "mine")
    made = studio.import_model(folder, "mine", base="renamed")
    assert [each.code for each in made.taken] == ["adapters.base_chosen"]
    with pytest.raises(StudioError, match="does not fit"):
        studio.import_model(folder, "mine", base="wide")
    with pytest.raises(StudioError, match="no LoRA adapter"):
        studio.import_model(tiny_model, "whole", base="renamed")


def test_one_that_a_studio_made_knows_its_base_by_its_bytes(tiny_model: Path, tmp_path: Path) -> None:
    studio, one, _two = home_with_two(tiny_model, tmp_path)
    folder = peft_adapter(tiny_model, tmp_path / "a")
    made = studio.import_model(folder, "mine", base=one.id)
    copied = shutil.copytree(made.path, tmp_path / "downloaded")
    assert studio.import_model(copied, "again").parents == [one.id]
    elsewhere = Studio.open(home=tmp_path / "elsewhere")
    retensor_model(shutil.copytree(tiny_model, tmp_path / "changed"))
    elsewhere.import_model(tmp_path / "changed", "tiny-model")
    with pytest.raises(StudioError, match="has other weights"):
        elsewhere.import_model(copied, "again")


@pytest.mark.parametrize("top", ["", "tuned/"])
def test_it_comes_in_from_a_zip_file(tiny_model: Path, tmp_path: Path, top: str) -> None:
    folder = peft_adapter(tiny_model, tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        for file in folder.iterdir():
            packed.write(file, f"{top}{file.name}")
    studio = Studio.open(home=tmp_path / "home")
    base = studio.import_model(tiny_model, "renamed")
    assert studio.adapter_bases(tmp_path / "a.zip") == [base]
    with pytest.raises(StudioError, match="not in this studio"):
        studio.import_model(tmp_path / "a.zip", "mine")
    made = studio.import_model(tmp_path / "a.zip", "mine", base=base.id)
    assert made.parents == [base.id] and not list(studio.settings.cache.glob("unpack-*"))


def test_a_child_says_the_same(tiny_model: Path, tmp_path: Path) -> None:
    folder = peft_adapter(tiny_model, tmp_path / "a")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        if (tiny_model / name).is_file():
            shutil.copyfile(tiny_model / name, folder / name)
    trial, told = check_weights(folder, model_view(tiny_model))
    assert trial["end"] == "<|im_end|>" and "answer" in trial and not told
