"""Workflows of Olive as recipes: those that its own commands write, those that our exports carry, and what can't be mapped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.models.quantization import Scheme, accelerator, passes
from backend.planning import recipes
from backend.planning.olive.finetune_ways import finetune_ways
from backend.planning.olive.quantize_ways import exact_modules, quantize_ways
from backend.planning.olive.read_workflow import read_workflow
from backend.stages import stage

FINETUNE: dict[str, Any] = {
    "input_model": {"type": "HfModel", "model_path": "/models/smollm2-135m-instruct", "load_kwargs": {}},
    "systems": {
        "local_system": {
            "type": "LocalSystem",
            "accelerators": [{"device": "gpu", "execution_providers": ["CUDAExecutionProvider"]}],
        }
    },
    "data_configs": [
        {
            "name": "train_data",
            "type": "HuggingfaceContainer",
            "load_dataset_config": {"data_name": "json", "split": "train", "data_files": ["/rows/mails.jsonl"]},
            "pre_process_data_config": {
                "text_template": "### Mail: {mail} \n### Folder: {folder}",
                "max_seq_len": 256,
                "max_samples": 900,
            },
        }
    ],
    "passes": {
        "f": {
            "train_data_config": "train_data",
            "type": "lora",
            "torch_dtype": "bfloat16",
            "r": 8,
            "alpha": 16,
            "target_modules": ["q_proj", "v_proj"],
            "training_args": {"max_steps": 150, "learning_rate": 0.0002, "per_device_train_batch_size": 4, "seed": 7},
        }
    },
    "host": "local_system",
    "target": "local_system",
}
"""What `olive finetune --dry_run --save_config_file` of 0.13 writes, with a text template."""
OPTIMIZE: dict[str, Any] = {
    "input_model": {"type": "HfModel", "model_path": "/models/tiny"},
    "passes": {
        "gptq": {"type": "Gptq", "bits": 4, "sym": True},
        "model_builder": {
            "type": "ModelBuilder",
            "precision": "int4",
            "int4_block_size": 32,
            "int4_accuracy_level": 4,
            "extra_options": {},
        },
    },
    "systems": {
        "local_system": {"type": "LocalSystem", "accelerators": [{"execution_providers": ["CPUExecutionProvider"]}]}
    },
    "data_configs": [],
    "target": "local_system",
}
"""What `olive optimize --precision int4 --dry_run` of 0.13 writes."""


def read(content: dict[str, Any], tmp_path: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Parameters by stage, and the places of what was left out."""
    recipe, left_out, *_ = read_workflow(json.dumps(content), str(tmp_path / "my workflow.json"))
    recipes.build(recipe)  # it can be run
    return {each["stage"]: each["params"] for each in recipe["stages"]}, [
        problem.args.get("place", "") for problem in left_out if problem.code != "olive.model"
    ]


def test_a_training_keeps_its_data_its_adapter_and_its_arguments(tmp_path: Path) -> None:
    found, left_out = read(FINETUNE, tmp_path)
    assert found["dataset"] == {"source": "/rows/mails.jsonl", "input": "mail", "output": "folder", "max_rows": 900}
    assert found["finetune"] == {
        "model": "smollm2-135m-instruct",
        "data": "${data}",
        "rank": 8,
        "alpha": 16,
        "targets": ["q_proj", "v_proj"],
        "max_steps": 150,
        "learning_rate": 0.0002,
        "batch_size": 4,
        "max_length": 256,
        "dropout": 0.05,
        "epochs": 3,
        "schedule": "constant",
        "warmup_ratio": 0.03,
    }
    assert left_out == ["f", "f.torch_dtype"], "also that Olive joins rows"


def test_passes_that_round_and_build_are_one_stage(tmp_path: Path) -> None:
    found, left_out = read(OPTIMIZE, tmp_path)
    assert found["quantize"] == {
        "model": "tiny",
        "precision": "int4",
        "rounding": "gptq",
        "symmetric": True,
        "block_size": 128,
    }
    assert left_out == ["model_builder.int4_accuracy_level", "gptq.lm_head"]


def test_what_olive_takes_where_nothing_is_said_is_written_into_the_recipe(tmp_path: Path) -> None:
    bare = {"train_data_config": FINETUNE["data_configs"][0], "type": "LoRA"}
    passes = {
        "f": bare,
        "merge": {"type": "MergeAdapterWeights"},
        "build": {"type": "ModelBuilder", "precision": "int4"},
    }
    found, left_out = read({**FINETUNE, "passes": passes}, tmp_path)
    asked = {name: found["finetune"][name] for name in ("rank", "alpha", "dropout", "learning_rate", "batch_size")}
    assert asked == {"rank": 64, "alpha": 16, "dropout": 0.05, "learning_rate": 2e-4, "batch_size": 8}
    assert found["quantize"] == {"model": "${tuned}", "precision": "int4", "block_size": 32, "target": "cuda"}
    assert left_out == ["f.target_modules", "f"]


@pytest.mark.parametrize(
    "scheme",
    [
        Scheme(precision="int4", tied=True),
        Scheme(precision="int4", rounding="kquant", block=32, head_bits=8),
        Scheme(precision="int4", rounding="gptq", head_bits=8),
        Scheme(precision="int8", symmetric=True),
        Scheme(precision="fp16", target="cuda"),
        Scheme(precision="fp32"),
    ],
)
def test_the_workflow_of_an_export_says_what_the_export_was_asked(scheme: Scheme, tmp_path: Path) -> None:
    content = {
        "input_model": {"type": "HfModel", "model_path": "tiny"},
        "systems": {"here": {"type": "LocalSystem", "accelerators": [accelerator(scheme.target)]}},
        "passes": passes(scheme, tmp_path, tmp_path / "calibration.jsonl"),
        "target": "here",
    }
    found, left_out = read(content, tmp_path)
    params = stage("quantize").parse(found["quantize"])
    assert (params.precision, params.target) == (scheme.precision, scheme.target)
    if scheme.precision.startswith("int"):
        assert (params.rounding, params.block_size) == (scheme.rounding, scheme.block)
        assert (params.symmetric, params.tie_embeddings == "always") == (scheme.symmetric, scheme.tied)
    assert params.head_bits == (scheme.head_bits if scheme.precision == "int4" else 4)
    assert not left_out  # also the head, which the studio's own passes round


def test_layers_that_keep_more_bits_are_named(tmp_path: Path) -> None:
    scheme = Scheme(precision="int4", exact=("model.layers.0.mlp.up_proj",))
    content = {"input_model": {"model_path": "tiny"}, "passes": passes(scheme, tmp_path)}
    assert read(content, tmp_path)[1] == ["quantize.overrides"]


def test_training_then_export_is_one_chain_and_a_search_is_a_search(tmp_path: Path) -> None:
    both = {**FINETUNE, "passes": {**FINETUNE["passes"], "build": {"type": "ModelBuilder", "precision": "fp16"}}}
    found, _ = read(both, tmp_path)
    assert found["quantize"] == {"model": "${tuned}", "precision": "fp16", "target": "cuda"}
    searched = {**OPTIMIZE, "search_strategy": {"execution_order": "joint", "sampler": "tpe"}}
    found, left_out = read(searched, tmp_path)
    assert found["search"] == {"stage": "quantize", "model": "tiny", "data": "${data}"}
    assert {"passes.precision", "passes.rounding", "search_strategy"} <= set(left_out)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"passes": {"slim": {"type": "SliceGPT"}}}, "olive.pass_unknown"),
        ({"passes": {"build": {"type": "ModelBuilder", "precision": "bf16"}}}, "olive.value_unknown"),
        ({"passes": {"round": {"type": "Rtn", "bits": 2}}}, "olive.value_unknown"),
        ({"passes": {"dynamic": {"type": "OnnxDynamicQuantization"}}}, "olive.pass_unknown"),
        ({"passes": {}}, "olive.nothing"),
        ({"passes": {"broken": 3}}, "olive.no_workflow"),
        ({"input_model": {}}, "olive.value_unknown"),
    ],
)
def test_what_would_be_another_result_is_refused(change: dict[str, Any], code: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        read({**OPTIMIZE, **change}, tmp_path)
    assert caught.value.code == code


def test_what_somebody_chooses_takes_the_place_of_what_the_workflow_names() -> None:
    found = read_workflow(json.dumps(FINETUNE), "w.json", "m123", "d123")
    (step,) = found.recipe["stages"]
    assert (step["params"]["model"], step["params"]["data"]) == ("m123", "d123")
    assert (found.model, found.reads) == ("smollm2-135m-instruct", True)
    assert [problem.code for problem in found.left_out] == ["olive.joined", "olive.left_out"]


CHANGED: dict[str, Any] = {
    "epochs": 2,
    "learning_rate": 3e-4,
    "max_steps": 7,
    "batch_size": 2,
    "accumulation": 3,
    "max_length": 64,
}
CHANGED |= {"schedule": "linear", "warmup_ratio": 0.1, "weight_decay": 0.01, "gradient_checkpointing": True, "rank": 4}
CHANGED |= {"alpha": 5, "dropout": 0.1, "modules_to_save": ["lm_head"], "method": "dora"}
FELT: dict[str, Any] = {
    "optimizer": "adamw_8bit",
    "patience": 2,
    "keep": "best",
    "initialization": "gaussian",
    "rationale": "multitask",
}
FELT |= {"method": "rslora"}
MEANINGLESS = {"name", "evaluate_rows", "evaluate_steps", "min_improvement", "best_by", "checkpoints_kept"}
MEANINGLESS |= {"rationale_weight", "qlora", "qlora_bits", "targets", "top_share", "model", "data"}
"""Fields that change no weight by themselves, or stand in tests of their own."""


def test_a_training_goes_out_and_comes_back_whole() -> None:
    form = stage("finetune")
    params = form.parse({"model": "tiny", "data": "mails", **CHANGED})
    command, run = finetune_ways(params, "/m/ti ny", 5, ["q_proj", "v_proj"])
    back = read_workflow(run.json, "w.json", "tiny", "mails").recipe["stages"][0]
    assert (
        form.parse(back["params"]) == params.model_copy(update={"targets": ["q_proj", "v_proj"]}) and back["seed"] == 5
    )
    assert [each.args["name"] for each in run.differs[1:]] == []
    export, text = command.text.splitlines()
    assert export == "slmops datasets export mails --format openai -o train.jsonl" == run.text.splitlines()[0]
    assert "--lora_r 4 --lora_alpha 5" in text and "--target_modules q_proj,v_proj" in text and "'/m/ti ny'" in text
    assert [each.args.get("name") for each in command.differs[1:]] == [None, "method", "dropout", "modules_to_save"]


def test_whatever_olive_lacks_is_named() -> None:
    form = stage("finetune")
    assert form.params.model_fields.keys() == CHANGED.keys() | FELT.keys() | MEANINGLESS, "say what Olive makes of it"
    for name, value in FELT.items():
        params = form.parse({"model": "tiny", "data": "mails", "learning_rate": 1e-3, name: value})
        for way in finetune_ways(params, "m", 1, ["q_proj"]):
            assert name in [each.args.get("name") for each in way.differs], name
    quantized = {
        "model": "tiny",
        "data": "mails",
        "learning_rate": 1e-3,
        "qlora": True,
        "qlora_bits": 8,
        "method": "dora",
    }
    command, run = finetune_ways(form.parse(quantized | {"targets": "attention"}), "m", 1, ["q_proj"])
    assert [each.args["name"] for each in run.differs[1:]] == ["method", "qlora_bits"]
    assert "targets" in [each.args.get("name") for each in command.differs]
    assert "--method qlora" in command.text and "--target_modules" not in command.text


def test_a_quantization_goes_out_and_comes_back() -> None:
    scheme = Scheme(precision="int4", rounding="gptq", block=32, symmetric=True, exact=("model.layers.3.mlp.up_proj",))
    command, run = quantize_ways(scheme, "/m/tiny")
    assert "olive optimize --model_name_or_path /m/tiny --precision int4" in command.text
    assert {"olive.own_rows", "olive.unmended"} < {each.code for each in command.differs}
    assert run.text == "olive run --config olive.json" and "olive.calibration" in [each.code for each in run.differs]
    assert exact_modules(run.workflow) == scheme.exact and run.workflow["input_model"]["model_path"] == "/m/tiny"
    back = read_workflow(run.json, "w.json", "tiny", "mails").recipe["stages"][0]["params"]
    assert (back["rounding"], back["block_size"], back["symmetric"]) == ("gptq", 32, True)
    (only,) = quantize_ways(Scheme(precision="int4"), "/m/tiny", "/m/adapter", exact_unknown=True)
    assert only.workflow["input_model"]["adapter_path"] == "/m/adapter"
    assert next(iter(only.workflow["passes"].values())) == {"type": "MergeAdapterWeights"}
    assert [each.args.get("name") for each in only.differs][1:] == ["exact_layers"]
    exact = quantize_ways(Scheme(precision="fp16", target="cuda"), "/m/tiny")[0]
    assert [each.code for each in exact.differs] == ["olive.unmended"] and "CUDAExecutionProvider" in exact.text
