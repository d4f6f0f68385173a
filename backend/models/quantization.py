"""How weights become small: a scheme, the Olive passes that carry it out, and the bytes that it takes. No torch.

INT4 and INT8 go one way: a pass of Olive rounds the torch weights in blocks (Rtn, KQuant or Gptq), ModelBuilder writes the
graph with them, and TieWordEmbeddings makes one table of two equal ones. MatMulNBits then multiplies on 8-bit activations on
the CPU (accuracy level 4, ModelBuilder's default there). Not offered, because they did not load or did not pay: AWQ (needs the
package autoawq), OnnxHqqQuantization (writes more than FP32 takes and ONNX Runtime GenAI can't load it),
OnnxKQuantQuantization with 8 bits (1 token a second), ModelBuilder's own INT8 (writes no model), OnnxDynamicQuantization
(larger than Rtn with 8 bits, because it leaves the input table in FP32) and blocks of 128 that do not divide the hidden size.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from backend.core.fields import Labels

Precision = Annotated[
    Literal["int4", "int8", "fp16", "fp32"],
    Labels({"int4": "INT4, 4 bits", "int8": "INT8, 8 bits", "fp16": "FP16, 16 bits", "fp32": "FP32, unchanged"}),
]
Rounding = Annotated[
    Literal["rtn", "kquant", "gptq"], Labels({"rtn": "Nearest (RTN)", "kquant": "k-quant", "gptq": "GPTQ"})
]
Target = Annotated[
    Literal["cpu", "cuda", "directml"],
    Labels({"cpu": "CPU", "cuda": "CUDA (NVIDIA)", "directml": "DirectML (Windows)"}),
]

BITS = {"int4": 4, "int8": 8, "fp16": 16, "fp32": 32}
_PASSES = {"rtn": "Rtn", "kquant": "KQuant", "gptq": "Gptq"}
_ACCELERATORS = {
    "cpu": {"device": "cpu", "execution_providers": ["CPUExecutionProvider"]},
    "cuda": {"device": "gpu", "execution_providers": ["CUDAExecutionProvider"]},
    "directml": {"device": "gpu", "execution_providers": ["DmlExecutionProvider"]},
}
ADAPTER_FILE = "adapter.onnx_adapter"
"""The weights of an adapter that is attached to an ONNX model."""
TABLES = ("lm_head", "model.embed_tokens")


TieEmbeddings = Annotated[
    Literal["auto", "always", "never"], Labels({"auto": "Automatic", "always": "Yes", "never": "No"})
]


class Scheme(BaseModel):
    """`tied`: input and output table become one; else the input table keeps its values. `exact`: names of modules whose
    weights take 8 bits in an INT4 model; `adapters`: each matrix stays one of its own, as an adapter changes it."""

    model_config = ConfigDict(frozen=True)

    precision: Precision
    rounding: Rounding = "rtn"
    tied: bool = False
    block: int = 64
    symmetric: bool = False
    head_bits: Literal[4, 8] = 4
    target: Target = "cpu"
    exact: tuple[str, ...] = ()
    adapters: bool = False

    @property
    def variant(self) -> str:
        """What facts and forecasts call it: the precision where weights stay floats, else `tied` or `plain`."""
        return self.precision if BITS[self.precision] > 8 else "tied" if self.tied else "plain"


class NamedScheme(NamedTuple):
    """One row of the schemes that a search tries: parameters of `quantize`; `int8_layers`: its most sensitive layers keep 8
    bits."""

    name: str
    title: str
    params: dict[str, Any]
    int8_layers: bool = False


SCHEMES = (
    NamedScheme("rtn-64", "INT4 RTN, blocks of 64", {"block_size": 64}),
    NamedScheme("rtn-32", "INT4 RTN, blocks of 32", {"block_size": 32}),
    NamedScheme("kquant-64", "INT4 k-quant, blocks of 64", {"rounding": "kquant", "block_size": 64}),
    NamedScheme("kquant-32", "INT4 k-quant, blocks of 32", {"rounding": "kquant", "block_size": 32}),
    NamedScheme(
        "kquant-32-head8",
        "INT4 k-quant, blocks of 32, head in 8 bits",
        {"rounding": "kquant", "block_size": 32, "head_bits": 8},
    ),
    NamedScheme(
        "kquant-64-exact", "INT4 k-quant, sensitive layers in 8 bits", {"rounding": "kquant", "block_size": 64}, True
    ),
    NamedScheme("gptq-64", "INT4 GPTQ, blocks of 64", {"rounding": "gptq", "block_size": 64}),
    NamedScheme("int8", "INT8 RTN, blocks of 64", {"precision": "int8", "block_size": 64}),
)
SCHEME_LABELS = Labels({scheme.name: scheme.title for scheme in SCHEMES})
if TYPE_CHECKING:
    SchemeName = str
else:
    SchemeName = Literal[tuple(scheme.name for scheme in SCHEMES)]


_INT8_LAYER_EVERY = 6
"""One layer in so many keeps 8 bits, where a scheme lets some."""


def scheme_params(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What `quantize` is given for a row of SCHEMES, of a model with these facts."""
    scheme = next(scheme for scheme in SCHEMES if scheme.name == name)
    exact = {"exact_layers": max(1, int(facts.get("layers", 1)) // _INT8_LAYER_EVERY)}
    return scheme.params | (exact if scheme.int8_layers else {})


def accelerator(target: Target) -> dict[str, Any]:
    return _ACCELERATORS[target]


def passes(scheme: Scheme, model: Path, calibration: Path | None = None) -> dict[str, dict[str, Any]]:
    """Olive's passes in their order. `calibration`: texts, one JSON object {"text": ...} a line, for Gptq; `model`: where its
    tokenizer lies. No remote code, no hub token."""
    bits = BITS[scheme.precision]
    build: dict[str, Any] = {
        "type": "ModelBuilder",
        "precision": scheme.precision if bits > 8 else "int4",
        "extra_options": {"hf_remote": False, "hf_token": "false"},
    }
    if scheme.adapters:
        build["extra_options"]["disable_qkv_fusion"] = True
    if bits > 8:
        return {"build": build}
    found = _rounding(scheme, bits, model, calibration) | {"build": {**build, "int4_block_size": scheme.block}}
    if scheme.tied:
        found["tie"] = {"type": "GraphSurgeries", "surgeries": [{"surgeon": "TieWordEmbeddings"}]}
    return found


def _rounding(scheme: Scheme, bits: int, model: Path, calibration: Path | None) -> dict[str, dict[str, Any]]:
    """Gptq leaves the tables, which no calibration helps, to a second pass."""
    shared = {"bits": bits, "group_size": scheme.block, "sym": scheme.symmetric}
    exact: dict[str, Any] = {name: {"bits": 8} for name in scheme.exact}
    tables = {"lm_head": True, "embeds": scheme.tied}
    head = max(bits, scheme.head_bits)
    if scheme.rounding == "gptq":
        body = {"type": "Gptq", **shared, "data_config": _calibration(model, calibration), "overrides": exact}
        return {"quantize": body, "head": {"type": "Rtn", **shared, "bits": head, **tables}}
    overrides = exact | ({name: {"bits": head} for name in TABLES} if head != bits else {})
    return {"quantize": {"type": _PASSES[scheme.rounding], **shared, **tables, "overrides": overrides}}


def _calibration(model: Path, texts: Path | None) -> dict[str, Any]:
    """Each line is a text of its own with its template's marks: nothing is added, joined or padded."""
    return {
        "name": "rows",
        "type": "HuggingfaceContainer",
        "load_dataset_config": {
            "type": "huggingface_dataset",
            "data_name": "json",
            "data_files": str(texts),
            "split": "train",
        },
        "pre_process_data_config": {
            "type": "text_generation_huggingface_pre_process",
            "model_name": str(model),
            "strategy": "line-by-line",
            "add_special_tokens": False,
            "pad_to_max_len": False,
            "max_seq_len": 1024,
            "text_cols": ["text"],
        },
        "post_process_data_config": {"type": "text_generation_post_process"},
        "dataloader_config": {"batch_size": 1},
    }


def size_bytes(scheme: Scheme, facts: dict[str, Any], exact_layers: int = 0) -> float:
    """Bytes on disk: a block of n weights takes n bits/8 bytes, 4 for its scale and one value for its zero point; without a
    common table the input table stays in FP32 beside the output table; angles take 256 bytes per position of the context;
    tokenizer and graph the rest."""
    weights = float(facts.get("parameters", 0))
    table = float(facts.get("vocabulary", 0)) * float(facts.get("hidden_size", 0))
    rest = 256 * float(facts.get("context", 0)) + 80 * float(facts.get("vocabulary", 0))
    bits = BITS[scheme.precision]
    doubled = table if facts.get("tied") else 0.0
    if bits > 8:
        return (weights + doubled) * bits / 8 + rest
    body = weights - table - (0.0 if facts.get("tied") else table)
    share = exact_layers / max(1, int(facts.get("layers", 1)))
    kept = body * (_packed(bits, scheme) * (1 - share) + _packed(8, scheme) * share)
    head = table * _packed(max(bits, scheme.head_bits), scheme)
    return kept + head + (0.0 if scheme.tied else 4 * table) + rest


def _packed(bits: int, scheme: Scheme) -> float:
    """Bytes of a weight with its part of the block's scale and zero point."""
    return bits / 8 + (4 + (0.0 if scheme.symmetric else bits / 8)) / scheme.block


SECONDS_START, SECONDS_MERGE_PER_MILLION, SECONDS_SCAN_PER_MILLION = 17.0, 0.03, 0.021
SECONDS_PER_MILLION = {"float": 0.08, "rtn": 0.085, "kquant": 0.17, "gptq": 2.5}
"""Starting Olive, asking and comparing; then per million weights; a scan also per layer. Measured for RTN with SmolLM2-135M and
its cut of 6 layers on the reference; with the cut k-quant took twice and GPTQ on 64 rows thirty times as long as RTN, side by
side; a scan reads 16 rows of 45 tokens for each layer, at the pace of chat.pace.TORCH_BATCH."""
MEMORY_BASE, MEMORY_PER_WEIGHT, MEMORY_MERGE = 1.1e9, 4.7, 0.5e9
"""Bytes: 1.26 GB were measured for 49.6 million weights, 1.65 GB for 134.5 million."""


def build_seconds(scheme: Scheme, facts: dict[str, Any], adapter: bool, scan: bool) -> float:
    """Seconds on the reference to make and try one model."""
    millions = float(facts.get("parameters", 0)) / 1e6
    way = scheme.rounding if BITS[scheme.precision] <= 8 else "float"
    seconds = SECONDS_START + SECONDS_PER_MILLION[way] * millions
    seconds += SECONDS_MERGE_PER_MILLION * millions if adapter else 0.0
    return seconds + (SECONDS_SCAN_PER_MILLION * millions * float(facts.get("layers", 0)) if scan else 0.0)


def build_memory(facts: dict[str, Any], adapter: bool) -> float:
    """Peak bytes of the larger process."""
    return MEMORY_BASE + MEMORY_PER_WEIGHT * float(facts.get("parameters", 0)) + (MEMORY_MERGE if adapter else 0.0)
