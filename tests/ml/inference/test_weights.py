"""What people bring as a model: each kind is imported rightly or refused in a sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.db import Store
from backend.ml.inference.load import load_model
from backend.ml.inference.weight_check import checked
from backend.models.catalogue import import_folder
from backend.models.probe import inspect_folder
from backend.models.weights import check_weights, settled
from tests.helpers import model_view

pytestmark = pytest.mark.ml

Tensors = dict[str, Any]


def folder_with(
    model: Path, target: Path, change: Callable[[Tensors], Tensors | None] = lambda _: None, **config: Any
) -> Path:
    """A copy of `model` with other tensors and other values in its config.json (None removes one)."""
    shutil.copytree(model, target)
    tensors = load_file(target / "model.safetensors")
    save_file(change(tensors) or tensors, target / "model.safetensors", metadata={"format": "pt"})
    content = json.loads((target / "config.json").read_text("utf-8")) | config
    (target / "config.json").write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    return target


def renamed(prefix: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {prefix + name: tensor for name, tensor in tensors.items()}


def without(part: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if part not in name}


def with_tensor(name: str, tensor: Any) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {**tensors, name: tensor}


def spoiled(tensors: Tensors) -> None:
    tensors["model.layers.1.mlp.up_proj.weight"][3, 2] = float("nan")


def other_head(tensors: Tensors) -> Tensors:
    return {**tensors, "lm_head.weight": tensors["model.embed_tokens.weight"] + 1}


def zeros(part: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: each * 0 if part in name else each for name, each in tensors.items()}


def lora(tensors: Tensors) -> Tensors:
    return {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": torch.zeros(4, 32)}


def mlx(tensors: Tensors) -> Tensors:
    name = "model.layers.0.mlp.up_proj"
    packed = torch.zeros(64, 4, dtype=torch.uint32)
    return {
        **tensors,
        f"{name}.weight": packed,
        f"{name}.scales": torch.ones(64, 1),
        f"{name}.biases": torch.ones(64, 1),
    }


REFUSED: dict[str, tuple[Callable[[Tensors], Tensors | None], dict[str, Any], str]] = {
    "a layer is missing": (without("layers.1.mlp"), {}, "models.missing_tensors"),
    "untied head is missing": (lambda _: None, {"tie_word_embeddings": False}, "models.missing_tensors"),
    "one shape differs": (with_tensor("model.norm.weight", torch.ones(31)), {}, "models.mismatched_tensors"),
    "a tensor too many": (with_tensor("model.extra.weight", torch.ones(3)), {}, "models.unexpected_tensors"),
    "more layers than config": (lambda _: None, {"num_hidden_layers": 1}, "models.unexpected_tensors"),
    "names of nobody": (renamed("net."), {}, "models.missing_tensors"),
    "NaN": (spoiled, {}, "models.not_finite"),
    "tied, but two tables": (other_head, {}, "models.tied_differ"),
    "integers": (
        lambda tensors: {**tensors, "model.norm.weight": torch.ones(32, dtype=torch.int32)},
        {},
        "models.integers",
    ),
    "no table of tokens": (zeros("embed_tokens"), {}, "models.zero_weights"),
    "scores that are no numbers": (
        lambda _: None,
        {"rope_parameters": {"rope_type": "default", "rope_theta": -5.0}},
        "models.trial_failed",
    ),
    "an absurd epsilon": (lambda _: None, {"rms_norm_eps": 1e30}, "models.value"),
    "8-bit floats": (
        lambda tensors: {**tensors, "model.norm.weight": tensors["model.norm.weight"].to(torch.float8_e4m3fn)},
        {},
        "models.fp8",
    ),
    "MLX": (mlx, {}, "models.mlx"),
    "an adapter's weights": (lora, {}, "models.adapter_weights"),
    "heads do not divide": (lambda _: None, {"num_attention_heads": 7}, "models.not_built"),
}


def check(folder: Path) -> None:
    inspect_folder(folder)
    settled(checked(folder)[1])


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_be_made_up_is_refused(tiny_model: Path, tmp_path: Path, case: str) -> None:
    change, config, code = REFUSED[case]
    with pytest.raises(StudioError) as refused:
        check(folder_with(tiny_model, tmp_path / "m", change, **config))
    assert code in {problem.code for problem in refused.value.problems}
    found_by_names = ("models.fp8", "models.mlx", "models.adapter_weights", "models.integers", "models.value")
    assert str(tmp_path) not in refused.value.problems[0].sentence() or code in found_by_names


def test_layers_of_zeros_are_told(tiny_model: Path, tmp_path: Path) -> None:
    folder = folder_with(tiny_model, tmp_path / "m", zeros("layers.1"))
    (told,) = settled(checked(folder)[1])
    assert told.code == "models.zero_weights" and told.args["count"] == 7 and "layers.1" in told.args["names"]


def test_a_weight_in_two_files_is_refused(tiny_model: Path, tmp_path: Path) -> None:
    folder = folder_with(tiny_model, tmp_path / "m")
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    again = {"model.norm.weight": tensors["model.norm.weight"] + 1}
    for number, half in enumerate((tensors, again), 1):
        save_file(half, folder / f"model-0000{number}-of-00002.safetensors")
    with pytest.raises(StudioError, match=r"“model\.norm\.weight” is in model-00002"):
        check(folder)


TEMPLATES = {
    "{% for m in messages if m.role == 'system' %}{{ m.content }}{% endfor %}<|im_start|>assistant": "talk.question_lost",
    "hello": "talk.question_lost",
}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_of_no_use_is_refused(tiny_model: Path, tmp_path: Path, template: str) -> None:
    folder = folder_with(tiny_model, tmp_path / "m")
    (folder / "chat_template.jinja").write_text(template)
    with pytest.raises(StudioError) as refused:
        check(folder)
    assert refused.value.code == TEMPLATES[template]


def test_a_child_says_the_same(tiny_model: Path, tmp_path: Path) -> None:
    trial, told = check_weights(folder_with(tiny_model, tmp_path / "whole"))
    assert trial["end"] == "<|im_end|>" and not told
    with pytest.raises(StudioError, match="missing"):
        check_weights(folder_with(tiny_model, tmp_path / "m", without("layers.1.mlp")))


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "base_model.model.", "module._orig_mod."])
def test_names_of_training_tools_are_put_right_and_that_is_said(tiny_model: Path, tmp_path: Path, prefix: str) -> None:
    folder = folder_with(tiny_model, tmp_path / "m", renamed(prefix))
    settings = Settings(home=tmp_path / "home").prepare()
    made = import_folder(Store(settings.store_url), settings, folder, "wrapped")
    assert [each.args["prefix"] for each in made.taken] == [prefix]
    assert same_weights(made.path, tiny_model)


def same_weights(one: Path, other: Path) -> bool:
    mine, theirs = (AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (one, other))
    return all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_parts_without_an_index_and_variants_are_taken(tiny_model: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home").prepare()
    store = Store(settings.store_url)
    folder = folder_with(tiny_model, tmp_path / "parts")
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    for number, half in enumerate((names[::2], names[1::2]), 1):
        save_file({name: tensors[name] for name in half}, folder / f"model-0000{number}-of-00002.safetensors")
    made = import_folder(store, settings, folder, "parts")
    assert same_weights(made.path, tiny_model)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(StudioError, match="model-00002-of-00002"):
        import_folder(store, settings, folder, "gap")

    variant = folder_with(tiny_model, tmp_path / "variant")
    (variant / "model.safetensors").rename(variant / "model.fp16.safetensors")
    made = import_folder(store, settings, variant, "variant")
    assert [each.args["file"] for each in made.taken] == ["model.fp16.safetensors"]
    assert same_weights(made.path, tiny_model)


def test_links_of_a_hub_cache_are_followed(tiny_model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "snapshot"
    cache.mkdir()
    for file in tiny_model.iterdir():
        (cache / file.name).symlink_to(file)
    settings = Settings(home=tmp_path / "home").prepare()
    made = import_folder(Store(settings.store_url), settings, cache, "cached")
    assert not any(file.is_symlink() for file in made.path.iterdir()) and same_weights(made.path, tiny_model)


def test_no_stage_loads_weights_that_were_made_up(tiny_model: Path, tmp_path: Path) -> None:
    """Also for a model that an older studio let in."""
    folder = folder_with(tiny_model, tmp_path / "m", without("layers.1.mlp"))
    with pytest.raises(StudioError, match="missing"):
        load_model(model_view(folder), None)  # type: ignore[arg-type]


MALFORMED: dict[str, tuple[str, Any]] = {
    "type is a list": ("config.json", {"model_type": ["llama"]}),
    "quantization is text": ("config.json", {"quantization_config": "int4"}),
    "quantization is a list": ("config.json", {"quantization_config": [4]}),
    "context is text": ("config.json", {"max_position_embeddings": "many"}),
    "context is a list": ("config.json", {"max_position_embeddings": [512]}),
    "negative context": ("config.json", {"max_position_embeddings": -5}),
    "endless context": ("config.json", {"max_position_embeddings": 10**18}),
    "size is true": ("config.json", {"hidden_size": True}),
    "negative layers": ("config.json", {"num_hidden_layers": -1}),
    "a billion layers": ("config.json", {"num_hidden_layers": 10**9}),
    "tokenizer is a list": ("tokenizer.json", {"model": []}),
    "vocabulary of texts": ("tokenizer.json", {"model": {"vocab": {"a": "1"}}}),
    "token is text": ("tokenizer.json", {"added_tokens": ["<s>"]}),
    "token without id": ("tokenizer.json", {"added_tokens": [{"content": "<s>"}]}),
    "token with id as text": ("tokenizer.json", {"added_tokens": [{"content": "<s>", "id": "7"}]}),
    "index is a list": ("model.safetensors.index.json", {"weight_map": []}),
    "index of numbers": ("model.safetensors.index.json", {"weight_map": {"a": 1}}),
    "index of lists": ("model.safetensors.index.json", {"weight_map": {"a": ["b"]}}),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_values_of_a_wrong_type_or_out_of_range_are_named(tiny_model: Path, tmp_path: Path, case: str) -> None:
    name, values = MALFORMED[case]
    shutil.copytree(tiny_model, tmp_path / "m")
    file = tmp_path / "m" / name
    content = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    file.write_text(json.dumps(content | values))
    with pytest.raises(StudioError) as refused:
        inspect_folder(tmp_path / "m")
    (problem,) = refused.value.problems
    assert problem.code == "models.value" and problem.args["key"].split(".")[0] == next(iter(values))


HEADERS: dict[str, Any] = {
    "a list": [],
    "endless shape": {"a": {"dtype": "F32", "shape": [10**18, 10**18], "data_offsets": [0, 4]}},
    "shape of texts": {"a": {"dtype": "F32", "shape": ["1"], "data_offsets": [0, 4]}},
    "no shape": {"a": {"dtype": "F32", "data_offsets": [0, 4]}},
    "negative shape": {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
    "size is not the shape's": {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
    "overlap": {
        "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        "b": {"dtype": "F16", "shape": [1], "data_offsets": [2, 4]},
    },
}


@pytest.mark.parametrize("case", [*HEADERS, "deep"])
def test_a_header_that_lies_is_refused(tiny_model: Path, tmp_path: Path, case: str) -> None:
    shutil.copytree(tiny_model, tmp_path / "m")
    text = b'{"a":' + b"[" * 100_000 if case == "deep" else json.dumps(HEADERS[case]).encode()
    (tmp_path / "m" / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    with pytest.raises(StudioError) as refused:
        inspect_folder(tmp_path / "m")
    assert refused.value.problems[0].code in ("models.value", "models.tensor", "models.weights_damaged")


def test_the_model_is_tried_and_the_card_shows_what_came_out(tiny_model: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home").prepare()
    made = import_folder(Store(settings.store_url), settings, tiny_model, "tried")
    trial = made.facts["trial"]
    assert trial["prompt"].endswith("What is the capital of France?<|im_end|>\n<|im_start|>assistant\n")
    assert trial["end"] == "<|im_end|>" and trial["prompt_tokens"] > 20 and isinstance(trial["answer"], str)


def test_a_model_without_an_end_of_turn_is_refused_until_somebody_names_it(tiny_model: Path, tmp_path: Path) -> None:
    folder = folder_with(tiny_model, tmp_path / "m", eos_token_id=None)
    for name in ("generation_config.json", "special_tokens_map.json", "chat_template.jinja"):
        (folder / name).unlink(missing_ok=True)
    (folder / "tokenizer_config.json").write_text("{}")
    settings = Settings(home=tmp_path / "home").prepare()
    store = Store(settings.store_url)
    with pytest.raises(StudioError, match="end-of-turn"):
        import_folder(store, settings, folder, "endless")
    (folder / "conversation.json").write_text('{"end": "<|im_end|>"}')
    assert import_folder(store, settings, folder, "named").facts["trial"]["end"] == "<|im_end|>"
