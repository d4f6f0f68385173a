"""Convert a torch model or adapter into an ONNX Runtime GenAI folder, in floats or with weights of 8 or 4 bits.

Needs a model or adapter; GPTQ and the choice of layers that keep 8 bits also need a dataset. An adapter is merged into its
base first. Leaves an artifact of kind onnx that was loaded and asked before it counts: ONNX files, genai_config.json, the
tokenizer, templates and the Olive workflow (olive.json). What is built for a graphics card is asked on the CPU, and its facts
say that it has not run on its device (`run` is false). backend.models.quantization says which passes are not offered.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef, TorchRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.core.thresholds import as_facts, findings, threshold_field
from backend.models import costs
from backend.models.architectures import config_folder, export_problems, exported_model, indivisible
from backend.models.quantization import (
    BITS,
    Precision,
    Rounding,
    Scheme,
    Target,
    TieEmbeddings,
    build_memory,
    build_seconds,
    size_bytes,
)

BLOCKS = (32, 64, 128)


class QuantizeParams(Params):
    model: TorchRef = Field(title="Model", description="Model or adapter to quantize. Adapters are merged first.")
    calibration_rows: int = Field(
        64,
        title="Calibration rows",
        description="Training rows GPTQ reads. More rows are more stable but slower.",
        ge=1,
        le=2048,
    )
    name: Name = ""
    precision: Precision = Field(
        "int4",
        title="Precision",
        description="Bits per weight. Fewer make it smaller and faster but may cost quality. FP32 changes "
        "nothing; FP16 is for GPUs.",
    )
    target: Target = Field(
        "cpu",
        title="Target",
        description="Device the model is built for. GPU builds can't be tried here.",
    )
    tie_embeddings: TieEmbeddings = Field(
        "auto",
        title="Tie embeddings",
        description="A quantized embedding table is smaller; an unchanged one is more accurate. Automatic "
        "quantizes it if possible.",
    )
    rounding: Rounding = Field(
        "rtn",
        title="Rounding",
        description="How weights are rounded: to the nearest value, in k-quant blocks, or by GPTQ, which "
        "changes least on your rows.",
    )
    block_size: Literal[32, 64, 128] = Field(
        64,
        title="Weights per block",
        description="Weights that share a scale. Smaller blocks: more accurate, larger file. Must divide "
        "the model's hidden size.",
    )
    symmetric: bool = Field(
        False, title="Symmetric", description="Blocks without a zero point: slightly smaller, less accurate."
    )
    head_bits: Literal[4, 8] = Field(
        4,
        title="Output head bits",
        description="An 8-bit head makes an INT4 model more accurate but larger; a shared embedding table becomes 8-bit too.",
    )
    exact_layers: int = Field(
        0,
        title="8-bit layers",
        description="Number of INT4 layers kept in 8 bits: the most sensitive on your validation rows.",
        ge=0,
        le=200,
    )
    adapters: bool = Field(False, title="Adapter slots", description="Adds slots for attaching adapters of this model.")
    data: DatasetRef | None = Field(
        None,
        title="Dataset",
        description="Your own rows, for GPTQ and for finding sensitive layers.",
    )
    min_agreement: float = threshold_field("min_agreement")


class QuantizeResult(Result):
    pass


def check(params: QuantizeParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    known = world.describe(params.model)
    facts = known.facts  # type: ignore[union-attr]
    if BITS[params.precision] <= 8:
        problems += check_blocks(params, facts)
    if params.precision == "fp16" and params.target == "cpu":
        problems.append(Problem(code="quant.fp16_cpu", field="target"))
    if params.adapters and (params.target != "cpu" or known.kind is not Kind.MODEL):  # type: ignore[union-attr]
        problems.append(Problem(code="slots.model", field="adapters"))
    if needs_data(params) and not params.data:
        problems.append(Problem(code="quant.data_needed", field="data"))
    problems += _check_rows(params, world) + check_architecture(params.model, world, params.precision)
    return problems + check_fits(quote(params, world), world)


def quote(params: QuantizeParams, world: World) -> Quote:
    """The larger process counts for memory: Olive's; an adapter also leaves torch in the stage's own."""
    known = world.describe(params.model)
    facts = known.facts if known else {}
    adapter = known is not None and known.kind is Kind.ADAPTER
    scheme, exact = scheme_of(params, facts), int8_layer_count(params)
    size = int(size_bytes(scheme, facts, exact))
    return Quote(
        seconds=build_seconds(scheme, facts, adapter, scan=exact > 0) / world.speed(),
        memory_bytes=int(build_memory(facts, adapter)),
        disk_bytes=size,
        forecast={**onnx_facts(params, facts), "size_bytes": size},
    )


def run(params: QuantizeParams, ctx: Context) -> QuantizeResult:
    from backend.ml.compression import olive_export
    from backend.ml.compression.quantize import Quantizer

    begun = time.monotonic()
    view = ctx.input(params.model)
    progress = Progress(ctx, 4, "merging the adapter" if view.kind is Kind.ADAPTER else "reading the model")
    progress()
    source = olive_export.merged_model_folder(view, ctx.input, ctx.scratch("merged"))
    data = ctx.input(params.data).path if params.data else None
    quantizer = Quantizer(source, ctx.dir / "maker", progress, ctx.log, data, params.calibration_rows)
    layers, names = int8_modules(params, quantizer, ctx)
    progress.add(1, "starting Olive")
    out = ctx.scratch("out")
    smoke_test = quantizer.make(scheme_of(params, view.facts, names), out)
    progress.add(2, "comparing with the original")
    agreement = _first_token_agreement(olive_export.first_tokens(source, quantizer.prompts()), smoke_test, ctx)
    if not agreement and params.min_agreement:
        raise StudioError("good.no_agreement", total=len(smoke_test["first"]))
    found = findings({"first_token_agreement": agreement}, params.model_dump())
    made = _keep(params, ctx, view, out, layers, found)
    progress.add(1, "done")
    metrics = {
        "size_bytes": float(made.size_bytes),
        "parameters": float(view.facts["parameters"]),
        "first_token_agreement": agreement,
        "seconds": time.monotonic() - begun,
    }
    return QuantizeResult(artifact=made.id, metrics=metrics, findings=found)


def int8_modules(params: QuantizeParams, quantizer: Any, ctx: Context) -> tuple[list[int], tuple[str, ...]]:
    """The layers that keep 8 bits, and the names of their modules."""
    from backend.ml.compression.quantize import most_sensitive

    if not int8_layer_count(params):
        return [], ()
    divergence = quantizer.sensitivity(params.block_size)
    layers = most_sensitive(divergence, params.exact_layers)
    told = ", ".join(f"{at}: {each:.4f}" for at, each in enumerate(divergence))
    ctx.log(f"Divergence when a layer alone is rounded (nats a token): {told}. Kept in 8 bits: {layers}.")
    return layers, quantizer.exact(layers)


def scheme_of(params: QuantizeParams, facts: dict[str, Any], exact: tuple[str, ...] = ()) -> Scheme:
    tied = params.tie_embeddings == "always" or (params.tie_embeddings == "auto" and bool(facts.get("tied")))
    return Scheme(
        precision=params.precision,
        rounding=params.rounding,
        tied=tied,
        block=params.block_size,
        symmetric=params.symmetric,
        head_bits=params.head_bits,
        target=params.target,
        exact=exact,
        adapters=params.adapters,
    )


def int8_layer_count(params: QuantizeParams) -> int:
    """Layers that keep more bits than the others."""
    return params.exact_layers if params.precision == "int4" else 0


def needs_data(params: QuantizeParams) -> bool:
    return BITS[params.precision] <= 8 and (params.rounding == "gptq" or int8_layer_count(params) > 0)


def onnx_facts(params: QuantizeParams, facts: dict[str, Any], layers: list[int] | None = None) -> dict[str, Any]:
    """The facts of the result. `run` is false for what was built for a device that is not here."""
    kept = {key: value for key, value in costs.merged(facts).items() if key != "size_bytes"}
    scheme = scheme_of(params, facts)
    kept |= {"format": "onnx", "precision": params.precision, "recipe": scheme.variant, "target": params.target}
    kept |= {"room_for": params.model} if params.adapters else {}
    if params.target != "cpu":
        kept["run"] = False
    if BITS[params.precision] > 8:
        return kept
    kept |= {"block_size": params.block_size, "rounding": params.rounding, "symmetric": params.symmetric}
    return kept | {"head_bits": max(BITS[params.precision], params.head_bits), "exact_layers": layers or []}


def _keep(
    params: QuantizeParams, ctx: Context, view: ArtifactView, out: Path, layers: list[int], found: list[Problem]
) -> ArtifactView:
    name = params.name or f"{view.name}-{params.precision}"
    parents = [view.id, *([ctx.input(params.data).id] if params.data and needs_data(params) else [])]
    facts = onnx_facts(params.model_copy(update={"model": view.id}), view.facts, layers) | as_facts(found)
    made: ArtifactView = ctx.artifact(Kind.ONNX, name, out, facts=facts, parents=parents, license=view.license)
    return made


def check_blocks(params: QuantizeParams, facts: dict[str, Any]) -> list[Problem]:
    problems = []
    if wrong := indivisible(facts, params.block_size):
        choices = [block for block in BLOCKS if not indivisible(facts, block)]
        sizes = ", ".join(map(str, wrong))
        args: dict[str, Any] = {"block": params.block_size, "sizes": sizes, "choices": ", ".join(map(str, choices))}
        code = "chat.block_size" if choices else "chat.no_block_size"
        problems.append(Problem(code=code, args=args, field="block_size"))
    if params.tie_embeddings == "always" and facts.get("tied") is False:
        problems.append(Problem(code="chat.untied", field="tie_embeddings"))
    layers = facts.get("layers")
    if layers and int8_layer_count(params) > layers:
        args = {"layers": layers, "count": params.exact_layers}
        problems.append(Problem(code="quant.layers", args=args, field="exact_layers"))
    return problems


def _check_rows(params: QuantizeParams, world: World) -> list[Problem]:
    """The dataset must have the rows that are read: for GPTQ those of training, for the scan those of validation."""
    known = world.describe(params.data) if params.data and needs_data(params) else None
    rows = known.facts.get("rows") if known else None
    if rows is None:
        return []
    calibrates = params.rounding == "gptq"
    wanted = [*(["train"] if calibrates else []), *(["validation"] if int8_layer_count(params) else [])]
    lacking = [split for split in wanted if not rows.get(split, 0)]
    args = {"ref": params.data, "splits": ", ".join(lacking)}
    return [Problem(code="chat.no_rows", args=args, field="data")] if lacking else []


def check_architecture(model: str, world: World, precision: Precision) -> list[Problem]:
    """Whether exporter and runtime know the architecture, as far as the model or what it will be made from tells."""
    known = exported_model(model, world)
    return export_problems(known.facts, config_folder(known, world), precision=precision) if known else []


def _first_token_agreement(original: list[int], smoke_test: dict[str, Any], ctx: Context) -> float:
    """Share of questions whose first token is the original's."""
    same: int = sum(ours == theirs for ours, theirs in zip(smoke_test["first"], original, strict=True))
    ctx.log(
        f"Asked {len(original)} questions: the first token is the original's in {same}. Answers: {smoke_test['texts']}"
    )
    return same / len(original)


STAGE = Stage(
    name="quantize",
    title="Quantize",
    page="quantize",
    open=("model", "precision", "target"),
    offers={"model": ("distill", "preference", "finetune"), "data": ("dataset",)},
    takes_project_model=True,
    kind=Kind.ONNX,
    params=QuantizeParams,
    result=QuantizeResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "precision": "int4", "block_size": 64},
)
