"""What a folder of a LoRA adapter says of itself, read without torch: its configuration, the names of its weights, and which of
PEFT's kinds the studio reads. Layout: https://huggingface.co/docs/peft/developer_guides/checkpoint
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from backend.core.errors import Problem, StudioError
from backend.models.file_shapes import checked
from backend.models.probe import Header, read_json
from backend.models.weight_names import wrapper_of

CONFIG, WEIGHTS, MLX_WEIGHTS = "adapter_config.json", "adapter_model.safetensors", "adapters.safetensors"
_PLAIN_STARTS = (None, True, False, "gaussian", "eva", "orthogonal")
"""What `init_lora_weights` may be: the others (PiSSA, OLoRA, CorDA, LoftQ ...) change the base's weights as well."""
_OTHER_KINDS = (
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "megatron_config",
    "monteclora_config",
    "target_parameters",
    "trainable_token_indices",
    "use_bdlora",
    "use_qalora",
    "velora_config",
)
"""Keys of PEFT's variants that are more than two matrices beside a layer, or that can't be merged."""
_PREFIX = "base_model.model."
_ADAPTER_NAME = re.compile(r"(\.lora_(?:[AB]|embedding_[AB]|magnitude_vector))\.(?!weight|bias)\w+(\.|$)")
_FLOATS = ("F16", "BF16", "F32", "F64")
_Names = str | list[Annotated[str, Field(max_length=500)]] | None


class AdapterConfig(BaseModel):
    """What is read of adapter_config.json here; PEFT reads the rest when the adapter is tried."""

    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())

    peft_type: Annotated[str, Field(max_length=100)] = ""
    task_type: Annotated[str, Field(max_length=100)] | None = None
    base_model_name_or_path: Annotated[str, Field(max_length=1_000)] | None = None
    r: Annotated[int, Field(ge=1, le=65_536)] = 8
    target_modules: _Names = None
    modules_to_save: list[Annotated[str, Field(max_length=500)]] | None = None
    init_lora_weights: Any = True


def adapter_folder(path: Path) -> Path | None:
    """The folder in `path` that holds an adapter: itself, `adapter`, where Olive puts it, or the only folder in it that does;
    None when there is none, or `path` is a whole model. Olive's own config.json, which stands without weights, makes none."""
    if (path / CONFIG).is_file():
        return path
    olive = path / "adapter"
    if (path / "config.json").is_file():
        return olive if (olive / CONFIG).is_file() and not any(path.glob("*.safetensors")) else None
    if not path.is_dir():
        return None
    found = sorted(each.parent for each in path.glob(f"*/{CONFIG}"))
    named = [each for each in found if each.name == "adapter"]
    return (named or found)[0] if named or len(found) == 1 else None


def read_config(folder: Path) -> AdapterConfig:
    """Raises StudioError for what is no LoRA adapter of a kind that the studio reads, or has no weights in safetensors."""
    content = read_json(folder, CONFIG)
    if "fine_tune_type" in content or ((folder / MLX_WEIGHTS).is_file() and not (folder / WEIGHTS).is_file()):
        raise StudioError("adapters.mlx", path=folder)
    config = checked(folder, CONFIG, content, AdapterConfig)
    if config.peft_type != "LORA":
        raise StudioError("adapters.kind", path=folder, kind=config.peft_type or "–")
    if config.task_type not in (None, "", "CAUSAL_LM"):
        raise StudioError("adapters.task", path=folder, task=config.task_type)
    if config.init_lora_weights not in _PLAIN_STARTS:
        raise StudioError("adapters.start", path=folder, kind=str(config.init_lora_weights)[:100])
    for key in _OTHER_KINDS:
        if content.get(key):
            raise StudioError("adapters.feature", path=folder, feature=key)
    if not (folder / WEIGHTS).is_file():
        raise StudioError("adapters.weights", path=folder)
    return config


def plain_names(folder: Path, header: Header) -> tuple[dict[str, str], list[Problem]]:
    """Each tensor's name -> as PEFT saves it, and what was changed, as sentences. Raises StudioError for weights that are no
    floats, or that no LoRA adapter has."""
    for name, entry in header.items():
        if entry["dtype"] not in _FLOATS:
            raise StudioError("adapters.dtype", path=folder, tensor=name, dtype=entry["dtype"])
    prefix = wrapper_of(header)
    outer = prefix.removesuffix(_PREFIX)
    names = {name: _ADAPTER_NAME.sub(r"\1\2", _PREFIX + name.removeprefix(prefix)) for name in header}
    if len(set(names.values())) < len(names) or not any(".lora_" in name for name in names):
        raise StudioError("adapters.empty", path=folder)
    if not outer and all(name == new for name, new in names.items()):
        return names, []
    code, shown = ("models.prefix_taken", outer) if outer else ("adapters.names_taken", "")
    return names, [Problem(code=code, args={"prefix": shown} if shown else {}, blocking=False)]
