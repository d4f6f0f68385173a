"""A `quantize` stage as an Olive workflow, and as `olive optimize` where that does the like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core.errors import Problem
from backend.models.quantization import BITS, TABLES, Scheme, accelerator, passes
from backend.planning.olive.way import RUN, OliveWay, differs, line, workflow

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""That `olive optimize` builds for."""
_TEXTS = "calibration.jsonl"


def quantize_ways(scheme: Scheme, model: str, adapter: str = "", exact_unknown: bool = False) -> list[OliveWay]:
    """For the folder `model` and the `adapter` that is merged into it first. `exact_unknown`: which layers keep 8 bits is not
    measured yet."""
    shared = [Problem(code="olive.unmended")]
    ways = [] if adapter else _optimize(scheme, model, shared)
    lacking = [*shared, *([differs("exact_layers", "–")] if exact_unknown else [])]
    found = passes(scheme, Path(model), Path(_TEXTS))
    if _calibrates(scheme):
        lacking.append(Problem(code="olive.calibration", args={"file": _TEXTS}))
    merge: dict[str, Any] = {"merge": {"type": "MergeAdapterWeights"}} if adapter else {}
    source = {"model_path": model, "task": "text-generation", **({"adapter_path": adapter} if adapter else {})}
    made = workflow(source, accelerator(scheme.target), passes=merge | found)
    return [*ways, OliveWay(RUN, lacking, made)]


def exact_modules(workflow: dict[str, Any]) -> tuple[str, ...]:
    """The modules that keep 8 bits in the workflow that an export of the studio carries."""
    overrides = workflow.get("passes", {}).get("quantize", {}).get("overrides", {})
    return tuple(name for name, given in overrides.items() if name not in TABLES and given == {"bits": 8})


def _calibrates(scheme: Scheme) -> bool:
    return scheme.rounding == "gptq" and BITS[scheme.precision] <= 8


def _optimize(scheme: Scheme, model: str, shared: list[Problem]) -> list[OliveWay]:
    """Floats, and 4 bits by GPTQ, are what it offers of what is here."""
    provider, floats = _PROVIDERS.get(scheme.target), BITS[scheme.precision] > 8
    if not provider or not (floats or (scheme.precision == "int4" and scheme.rounding == "gptq")):
        return []
    device = "cpu" if scheme.target == "cpu" else "gpu"
    argv = ["olive", "optimize", "--model_name_or_path", model, "--precision", scheme.precision]
    argv += ["--provider", provider, "--device", device, "--exporter", "model_builder", "--output_path", "out"]
    argv += [] if floats else ["--block_size", str(scheme.block)]
    argv += ["--surgeries", "TieWordEmbeddings"] if scheme.tied and not floats else []
    lacking = [*shared, *([differs("adapters", True)] if scheme.adapters else [])]  # its flag for this ends in an error
    if not floats:
        lacking.append(Problem(code="olive.own_rows"))
        lacking += [] if scheme.symmetric else [differs("symmetric", False)]
        lacking += [differs("head_bits", scheme.head_bits)]
        lacking += [differs("exact_layers", len(scheme.exact))] if scheme.exact else []
    return [OliveWay(line(*argv, "--disable_telemetry"), lacking, {})]
