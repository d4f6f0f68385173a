"""Which architectures work, and who lacks what: the table of `python -m benchmarks.architectures`, the classes that the
installed transformers and the exporter know, and the checks that ask them before anything starts. No torch.
"""

from __future__ import annotations

import ast
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from backend.core.errors import Problem
from backend.core.paths import assets
from backend.core.schemas import Kind
from backend.core.stage import ArtifactInfo, World

TABLE = "architectures.json"
STEPS = ("import", "lora", "chat", "merge", "int4", "parity")
"""What is tried with each architecture, in this order."""

EXPORTER = "onnxruntime-genai"
CONFIG_OF = "config_of"
"""In a forecast: the model whose architecture a made one keeps."""
_ROPE = ("default", "linear", "llama3", "longrope", "su", "yarn", "mrope")
"""Ways to stretch positions that the exporter computes, with what backend.ml.compression.builder_patches adds."""
_NOT_EXPORTED = {"phi": ("qk_layernorm",), "nemotron": ("mlp_bias",)}
"""Settings of a config whose part of each layer the exporter leaves out without a word."""


class Row(BaseModel):
    """One architecture as it went through the chain. `steps`: step -> "yes", or why not; `targets`: the modules that LoRA
    adapted by default."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    steps: dict[str, str]
    title: str = ""
    targets: list[str] = []
    figures: dict[str, float] = {}

    @property
    def why(self) -> str:
        """The first thing that stopped it, in short; "" when all went well."""
        found = next((each for each in self.steps.values() if each != "yes"), "")
        short = found.split(" {")[0].removeprefix("ValueError: ").replace("|", "/")
        return f"{EXPORTER} lacks it" if short.startswith("arch.no_export") else short.split(". ")[0]

    def export_failure(self, step: str) -> str:
        """Why its export failed in `step`; "" when it did not, or was not tried."""
        found = self.steps.get(step, "yes")
        return "" if found == "yes" else found.split(" {")[0].split(": ", 1)[-1].split(". ")[0]


@cache
def causal_classes() -> dict[str, str]:
    """Model types that transformers can generate text with, and their classes, read from its source: importing it takes
    seconds and torch. Empty where it is not installed."""
    for node in _source("transformers", "models/auto/modeling_auto.py"):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES":
            return dict(ast.literal_eval(node.value.args[0])) if isinstance(node.value, ast.Call) else {}
    return {}


@cache
def exported_classes() -> frozenset[str]:
    """The classes that the installed exporter (ModelBuilder of onnxruntime-genai) compares a config's with, read from its
    source."""
    found = set()
    for top in _source("onnxruntime_genai", "models/builder.py"):
        for node in ast.walk(top):
            if isinstance(node, ast.Compare) and "architectures" in ast.dump(node.left):
                found |= {each.value for each in node.comparators if isinstance(each, ast.Constant)}
    return frozenset(str(each) for each in found)


_OTHER_NAMES = {
    "hidden_size": ("n_embd", "d_model"),
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "num_attention_heads": ("n_head", "n_heads", "num_heads"),
    "intermediate_size": ("n_inner", "ffn_dim", "ffn_hidden_size"),
    "max_position_embeddings": ("n_positions", "n_ctx", "max_seq_len", "seq_length", "max_sequence_length"),
}
"""What older architectures call the sizes of a config."""


def plain_config(config: dict[str, Any]) -> dict[str, Any]:
    """A config with the usual names of its sizes; of an image model whose text part transformers knows on its own, the text
    part's."""
    inner = text_part(config)
    config = {**inner, **_shared(config)} if inner else config
    found = dict(config)
    for name, others in _OTHER_NAMES.items():
        values = (config.get(other) for other in others)
        if found.get(name) is None and (value := next((each for each in values if each is not None), None)) is not None:
            found[name] = value
    return found


def text_part(config: dict[str, Any]) -> dict[str, Any] | None:
    """The config of the text part of an image model, when transformers knows that part as a model of its own."""
    inner = config.get("text_config")
    if not isinstance(inner, dict) or inner.get("model_type") not in causal_classes():
        return None
    return inner


def _shared(config: dict[str, Any]) -> dict[str, Any]:
    """What stands beside the text part and counts for it."""
    names = ("tie_word_embeddings", "bos_token_id", "eos_token_id", "pad_token_id")
    return {name: config[name] for name in names if config.get(name) is not None}


def export_problems(
    facts: dict[str, Any], folder: Path | None = None, field: str = "model", precision: str = "int4"
) -> list[Problem]:
    """Why a model with these facts can't become ONNX in this precision, as far as its architecture tells. `folder`: of its
    config, when it is there. What came out wrong with a tiny random model is refused for the exporter that was tried."""
    if found := exporter_lacks(facts, folder, field):
        return found
    kind = str(facts.get("architecture", ""))
    reason = _failed_export(kind, "int4" if precision in ("int4", "int8") else "parity")
    args = {"architecture": kind, "precision": precision.upper(), "reason": reason}
    return [Problem(code="arch.export_fails", args=args, field=field)] if reason else []


def exporter_lacks(facts: dict[str, Any], folder: Path | None = None, field: str = "model") -> list[Problem]:
    """What the exporter has not: the class, a way to stretch positions, a part of the layers; and the heads that ONNX Runtime
    refuses, its attention only at the first question."""
    kind = str(facts.get("architecture", ""))
    known, name = exported_classes(), causal_classes().get(kind)
    if known and name and name not in known:
        return [Problem(code="arch.no_export", args={"architecture": kind}, field=field)]
    config = _config(folder)
    stretched = sorted(_rope_scaling(config) - _ropes(config))
    if stretched:
        return [Problem(code="arch.no_rope", args={"scaling": stretched[0]}, field=field)]
    part = next((setting for setting in _NOT_EXPORTED.get(kind, ()) if config.get(setting)), "")
    if part:
        return [Problem(code="arch.no_part", args={"architecture": kind, "setting": part}, field=field)]
    size = _head_size(config)
    return [Problem(code="chat.head_size", args={"size": size}, field=field)] if size % 16 else []


_AS_NOTE = {"arch.export_fails": "arch.tune_wrong", "arch.no_export": "arch.tune_only"}
"""What is said before a training in place of what a conversion is refused for; the rest is said in the same words."""


def tune_only(ref: str, world: World, field: str) -> list[Problem]:
    """A warning before a training whose result can't be exported, or not to INT4. `ref`: the model that is trained."""
    known = exported_model(ref, world)
    found = export_problems(known.facts, config_folder(known, world), field) if known else []
    return [each.model_copy(update={"code": _AS_NOTE.get(each.code, each.code), "blocking": False}) for each in found]


def exported_model(ref: str, world: World) -> ArtifactInfo | None:
    """The model behind a reference: of an adapter, what it stands on."""
    known = world.describe(ref)
    while known is not None and known.kind is Kind.ADAPTER and known.facts.get("base"):
        known = world.describe(known.facts["base"])
    return known


def config_folder(known: ArtifactInfo, world: World) -> Path | None:
    """Where the config of a model lies: of one that an earlier stage will make, that of the model which it is made from, as
    `CONFIG_OF` in the forecast tells."""
    while not known.path:
        origin = exported_model(str(known.facts.get(CONFIG_OF, "")), world)
        if origin is None:
            return None
        known = origin
    return Path(known.path)


def indivisible(facts: dict[str, Any], block: int) -> list[int]:
    """Widths of a model's matrices that blocks of so many weights do not divide. Models that were imported before their
    matrices were looked at tell two of them."""
    widths = facts.get("matrix_widths") or [facts.get("hidden_size"), facts.get("intermediate_size")]
    return sorted({int(width) for width in widths if width and width % block})


def table() -> list[Row]:
    """What was tried, in its order; empty before the first run of the benchmark."""
    return [Row.model_validate(row) for row in _stored().get("rows", [])]


def tried_with() -> dict[str, str]:
    """The versions of the packages that the table was made with."""
    return dict(_stored().get("packages", {}))


def _failed_export(kind: str, step: str) -> str:
    """Why exports of this type failed when they were tried, with the exporter that is installed; "" where one went well."""
    rows = [row for row in table() if row.type == kind]
    reasons = [row.export_failure(step) for row in rows]
    if not reasons or not all(reasons) or tried_with().get(EXPORTER) != _version(EXPORTER):
        return ""
    return reasons[0]


def _head_size(config: dict[str, Any]) -> int:
    """Numbers of an attention head; 0 where the config does not tell."""
    return int(config.get("head_dim") or config.get("hidden_size", 0) // (config.get("num_attention_heads") or 1))


def _config(folder: Path | None) -> dict[str, Any]:
    file = folder / "config.json" if folder else None
    return plain_config(json.loads(file.read_text("utf-8"))) if file and file.is_file() else {}


def _rope_scaling(config: dict[str, Any]) -> set[str]:
    """How a config stretches its positions; Gemma 3 says it for each kind of layer."""
    rope = config.get("rope_parameters") or config.get("rope_scaling")
    if not isinstance(rope, dict):
        return set()
    each = [value for value in rope.values() if isinstance(value, dict) and ("rope_type" in value or "type" in value)]
    return {str(one.get("rope_type", one.get("type")) or "default") for one in each or [rope]}


def _ropes(config: dict[str, Any]) -> set[str]:
    """Hunyuan's "dynamic" has a fixed factor, which the exporter knows; that of others depends on the length of a text."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if config.get("model_type") == "gemma3_text":
        return {"default", "linear"}
    return {*_ROPE, "dynamic"} if config.get("model_type") == "hunyuan_v1_dense" and rope.get("alpha") else {*_ROPE}


@cache
def _stored() -> dict[str, Any]:
    file = assets() / TABLE
    found: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return found


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _source(package: str, file: str) -> list[ast.stmt]:
    """The statements of a module, without importing it."""
    spec = find_spec(package)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    return ast.parse(path.read_text("utf-8")).body if path and path.is_file() else []
