"""Workflows of Olive as recipes: those that its own commands write, those that our exports carry, and what can't be mapped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.models.quantization import Scheme, accelerator, passes
from backend.planning import recipes
from backend.planning.olive.finetune_command import finetune_command
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
    file = tmp_path / "my workflow.json"
    file.write_text(json.dumps(content))
    recipe, left_out = read_workflow(file)
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
    assert left_out == ["f.torch_dtype"]


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
    assert left_out == ["f.target_modules"]


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


def test_the_command_says_what_the_stage_was_asked_and_names_what_differs() -> None:
    params = stage("finetune").parse(
        {"model": "tiny", "data": "mails", "rank": 4, "targets": ["q_proj"], "dropout": 0.1}
    )
    export, text = finetune_command(params.model_dump(mode="json"), "/m/ti ny", 5).text.splitlines()
    assert export == "slmops datasets export mails --format openai -o train.jsonl"
    assert "--lora_r 4 --lora_alpha 32" in text and "--target_modules q_proj" in text and "'/m/ti ny'" in text
    assert "--seed 5" in text and "--max_steps" not in text
    differs = [problem.code for problem in finetune_command(params.model_dump(mode="json"), "m", 5).differs]
    assert differs == ["olive.whole_loss", "olive.differs"]
