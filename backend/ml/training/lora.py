"""LoRA on a model, and the folder that keeps it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict

from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import Context
from backend.core.thresholds import as_facts
from backend.ml.inference.device import bf16_pays
from backend.ml.training.checkpoints import explain_disk_full
from backend.training.adapted import choose_saved, choose_targets
from backend.training.control import control_facts
from backend.training.outcome import finite, result_fields
from backend.training.params import learned_facts

_LINEAR = ("Linear", "Conv1D", "Linear4bit", "Linear8bitLt", "FalconLinear")
"""Classes whose output is a plain product. Routers of experts derive from Linear and give a tuple."""
_MAMBA = ("falcon_h1", "falcon_mamba", "mamba", "mamba2", "nemotron_h")
"""PEFT refuses `out_proj` there: the layers read its weights themselves."""


def add_adapter(model: Any, params: Any, seed: int) -> Any:
    """Wrap `model` with a fresh adapter of `params` (LoraParams).

    Raises StudioError for a module that the model does not have.
    """
    torch.manual_seed(seed)
    saved = find_saved(model, params.modules_to_save) or None
    config = LoraConfig(
        r=params.rank,
        lora_alpha=params.alpha,
        lora_dropout=params.dropout,
        target_modules=find_targets(model, params.targets, params.top_share),
        use_dora=params.variant == "dora",
        use_rslora=params.variant == "rslora",
        init_lora_weights=True if params.initialization == "default" else params.initialization,
        modules_to_save=saved and list(saved),
        ensure_weight_tying=bool(params.modules_to_save) and bool(model.config.tie_word_embeddings),
        task_type="CAUSAL_LM",
    )
    wrapped = get_peft_model(model, config)
    config.modules_to_save = saved and list(
        saved
    )  # PEFT names the input table instead, and would not tie GPT-2's again
    for weight in wrapped.parameters():
        if weight.requires_grad:  # modules trained whole come from a base that may be in 16 bits
            weight.data = weight.data.float()
    if bf16_pays():
        _frozen_to_bf16(wrapped)
    return wrapped


def find_targets(model: Any, asked: str | list[str], top_share: float = 1.0) -> list[str]:
    """The modules of `model` that `asked` means (backend.training.adapted.choose_targets)."""
    known = _adaptable(model)
    return choose_targets((name for name, _module in model.named_modules() if _last(name) in known), asked, top_share)


def find_saved(model: Any, asked: list[str]) -> list[str]:
    """The paths of the modules to train whole. Of a table that is input and output embedding both, the output: PEFT then keeps
    the two one. Raises StudioError for one that is not there or that an adapter can change."""
    known = _adaptable(model)
    paths = {
        id(module): name
        for name, module in model.named_modules()
        if getattr(module, "weight", None) is not None and _last(name) not in known
    }
    found = choose_saved(paths.values(), asked)
    table, head = (paths.get(id(each)) for each in (model.get_input_embeddings(), model.get_output_embeddings()))
    if model.config.tie_word_embeddings and {table, head} & {*found}:
        found = [*(path for path in found if path not in (table, head)), str(head)]
    return found


def save_adapter(model: Any, base: ArtifactView, out: Path) -> None:
    """Write adapter_config.json and adapter_model.safetensors; the config names the base, not its folder."""
    for config in model.peft_config.values():
        config.base_model_name_or_path = base.name
    with explain_disk_full(out):
        model.save_pretrained(out, save_embedding_layers=False)
    (out / "README.md").unlink(missing_ok=True)
    config_file = out / "adapter_config.json"
    content = json.loads(config_file.read_text("utf-8"))
    content["target_modules"] = sorted(content["target_modules"])  # a set: its order differs from run to run
    config_file.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")


def keep_adapter(
    model: Any,
    trained: tuple[dict[str, float], list[Problem]],
    made_of: tuple[ArtifactView, ArtifactView],
    name: str,
    ctx: Context,
    params: Any,
) -> dict[str, Any]:
    """Make the artifact of an adapter that learned; what a `TrainingResult` says of it. `made_of`: its base and the dataset;
    `params`: of a training, with its `method`."""
    (metrics, said), (base, data) = trained, made_of
    out = ctx.scratch("out")
    save_adapter(model, base, out)
    facts = {**learned_facts(base, data, out), "format": "adapter", "base": base.id, "finetune_method": params.method}
    told = result_fields(said, metrics, base.facts)
    facts |= {"adapter_parameters": int(metrics["trained_parameters"]), "training": control_facts(metrics, params)}
    facts |= as_facts(told["findings"])
    parents = [base.id, data.id]
    made = ctx.artifact(Kind.ADAPTER, name[:100], out, facts=facts, parents=parents, license=base.license)
    return {"artifact": made.id, "metrics": finite(metrics), **told}


def adapter_state(model: Any) -> tuple[Any, dict[str, torch.Tensor]]:
    """The config and the weights of a trained adapter, apart from the model below it."""
    return model.peft_config["default"], get_peft_model_state_dict(model, save_embedding_layers=False)


def merge_adapter(plain: Any, config: Any, state: dict[str, torch.Tensor]) -> Any:
    """`plain` with the adapter added to its weights. It has to be loaded anew: below an adapter that trained, weights may
    have been rounded to bfloat16."""
    wrapped = get_peft_model(plain, config)
    set_peft_model_state_dict(wrapped, state)
    return wrapped.merge_and_unload()


def _frozen_to_bf16(model: Any) -> None:
    """Hold the frozen matrices under the adapter in bfloat16: autocast would otherwise convert them in every pass."""
    for module in model.modules():
        frozen = getattr(module, "base_layer", None)
        if type(frozen) is torch.nn.Linear:
            frozen.weight.data = frozen.weight.data.to(torch.bfloat16)


def _adaptable(model: Any) -> list[str]:
    """Names of the modules that an adapter can change: linear ones of every architecture (GPT-2's are Conv1D), without the
    output head. A name that other modules also bear, or that PEFT refuses, is left out: PEFT goes by names."""
    able: set[str] = set()
    other = {"out_proj"} if model.config.model_type in _MAMBA else set()
    for name, module in model.named_modules():
        if module is not model.get_output_embeddings() and getattr(module, "weight", None) is not None:
            plain = type(module).__name__ in _LINEAR
            (able if plain else other).add(_last(name))
    return sorted(able - other)


def _last(path: str) -> str:
    return path.rpartition(".")[2]
