"""Convert a torch model or adapter into an ONNX Runtime GenAI folder, in fp32 or with weights of 4 bits.

Needs a model or adapter. An adapter is merged into its base first. Leaves an artifact of kind onnx that was loaded and asked
before it counts: ONNX files, genai_config.json, tokenizer, templates and the Olive workflow (olive.json).
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from backend.chat.pulse import Pulse
from backend.data.rows import Row, Template
from backend.data.tokens import Encoder
from backend.errors import Problem
from backend.models import costs
from backend.schemas import ArtifactView, Kind, Quote
from backend.stages.base import Described, Params, Result, Stage, TorchRef, World, check_fits, check_refs

BLOCKS = (32, 64, 128)
QUESTIONS = ("Hello.", "Turn on the light in the kitchen.", "¿Qué puedes hacer por mí?")
PHASES = {
    "": "starting Olive",
    "quantize": "rounding weights",
    "build": "building the ONNX model",
    "tie": "tying tables",
}


class QuantizeParams(Params):
    model: TorchRef = Field(
        title="Model", description="The model or adapter to make small. An adapter is merged into its model first."
    )
    precision: Literal["int4", "fp32"] = Field(
        "int4",
        title="Precision",
        description="How many bits each weight takes. INT4 is small and fast and may lose a little quality; FP32 "
        "changes nothing and is several times larger.",
    )
    method: Literal["auto", "tied", "plain"] = Field(
        "auto",
        title="Method for INT4",
        description="What happens to the table of words. In 4 bits the file is smallest; unchanged it is larger and "
        "a little more exact. Automatic: 4 bits if possible.",
    )
    block_size: Literal[32, 64, 128] = Field(
        64,
        title="Weights per block",
        description="How many weights share one scale. Fewer is more exact and larger on disk. It must divide the "
        "model's hidden size.",
    )
    name: str = Field(
        "",
        title="Name",
        description="What the result is called. Leave it empty and it is named after what it is made from.",
        max_length=100,
    )


class QuantizeResult(Result):
    pass


def check(params: QuantizeParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    facts = world.describe(params.model).facts  # type: ignore[union-attr]
    if params.precision == "int4":
        problems += _check_blocks(params, facts)
    problems += _check_heads(params, world)
    return problems + check_fits(quote(params, world), world)


def quote(params: QuantizeParams, world: World) -> Quote:
    """The larger process counts for memory: Olive's; an adapter also leaves torch in the stage's own."""
    known = world.describe(params.model)
    facts = known.facts if known else {}
    weights = float(facts.get("parameters", 0))
    adapter = known is not None and known.kind is Kind.ADAPTER
    seconds = SECONDS_START + SECONDS_PER_MILLION[_recipe(params, facts)] * weights / 1e6
    seconds += SECONDS_MERGE_PER_MILLION * weights / 1e6 if adapter else 0.0
    memory = MEMORY_BASE + MEMORY_PER_WEIGHT * weights + (MEMORY_MERGE if adapter else 0.0)
    return Quote(
        seconds=seconds / world.speed(),
        memory_bytes=int(memory),
        disk_bytes=int(_size(params, facts)),
        forecast={**_facts(params, facts), "size_bytes": int(_size(params, facts))},
    )


SECONDS_START, SECONDS_MERGE_PER_MILLION = 17.0, 0.03
SECONDS_PER_MILLION = {"fp32": 0.08, "plain": 0.08, "tied": 0.085}
"""Starting Olive, asking and comparing; then per million weights. Measured for tied with SmolLM2-135M and its cut of 6
layers on the reference."""
MEMORY_BASE, MEMORY_PER_WEIGHT, MEMORY_MERGE = 1.1e9, 4.7, 0.5e9
"""Bytes: 1.26 GB were measured for 49.6 million weights, 1.65 GB for 134.5 million."""


def run(params: QuantizeParams, ctx: Any) -> QuantizeResult:
    from backend.ml import convert

    begun = time.monotonic()
    view = ctx.input(params.model)
    recipe = _recipe(params, view.facts)
    pulse = Pulse(ctx, 4, "merging the adapter" if view.kind is Kind.ADAPTER else "reading the model")
    pulse()
    source = convert.plain_folder(view, ctx.input, ctx.scratch("merged"))
    pulse.add(1, PHASES[""])
    work = ctx.scratch("olive")
    config = convert.olive_config(source, work, params.precision, recipe == "tied", params.block_size)
    built = convert.run_olive(config, work, lambda phase: pulse.add(0, PHASES.get(phase, phase)), ctx.log)
    out = ctx.scratch("out")
    convert.collect(built, source, out, config)
    pulse.add(1, "asking the result")
    prompts = _prompts(out)
    heard = convert.ask_onnx(out, prompts, pulse)
    pulse.add(1, "comparing with the original")
    agreement = _agreement(convert.first_tokens(source, prompts), heard, ctx)
    made = _keep(params, ctx, view, out)
    pulse.add(1, "done")
    metrics = {
        "size_bytes": float(made.size_bytes),
        "parameters": float(view.facts["parameters"]),
        "first_token_agreement": agreement,
        "seconds": time.monotonic() - begun,
    }
    return QuantizeResult(artifact=made.id, metrics=metrics)


def _keep(params: QuantizeParams, ctx: Any, view: ArtifactView, out: Path) -> ArtifactView:
    name = params.name or f"{view.name}-{params.precision}"
    facts = _facts(params, view.facts)
    made: ArtifactView = ctx.artifact(Kind.ONNX, name, out, facts=facts, parents=[view.id], license=view.license)
    return made


def _recipe(params: QuantizeParams, facts: dict[str, Any]) -> str:
    """`fp32`, `plain` or `tied`."""
    if params.precision == "fp32":
        return "fp32"
    return "tied" if params.method == "tied" or (params.method == "auto" and facts.get("tied")) else "plain"


def _facts(params: QuantizeParams, facts: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in costs.merged(facts).items() if key != "size_bytes"}
    kept |= {"format": "onnx", "precision": params.precision, "recipe": _recipe(params, facts)}
    return kept | ({"block_size": params.block_size} if params.precision == "int4" else {})


def _size(params: QuantizeParams, facts: dict[str, Any]) -> float:
    """Bytes on disk. Exact within 1 % for SmolLM2-135M and its cut of 6 layers: a block of n weights takes n/2 bytes,
    4 for its scale and half a byte for its zero point; plain keeps the input table in fp32 beside the output table; angles
    take 256 bytes per position of the context; tokenizer and graph the rest."""
    weights = float(facts.get("parameters", 0))
    table = float(facts.get("vocabulary", 0)) * float(facts.get("hidden_size", 0))
    rest = 256 * float(facts.get("context", 0)) + 80 * float(facts.get("vocabulary", 0))
    doubled = table if facts.get("tied") else 0.0
    recipe = _recipe(params, facts)
    if recipe == "fp32":
        return 4 * (weights + doubled) + rest
    packed = 0.5 + 4.5 / params.block_size
    if recipe == "tied":
        return weights * packed + rest
    return (weights - table + doubled) * packed + 4 * table + rest


def _check_blocks(params: QuantizeParams, facts: dict[str, Any]) -> list[Problem]:
    problems = []
    hidden = facts.get("hidden_size")
    if hidden and hidden % params.block_size:
        choices = [block for block in BLOCKS if hidden % block == 0]
        args = {"block": params.block_size, "hidden": hidden, "choices": ", ".join(map(str, choices))}
        code = "chat.block_size" if choices else "chat.no_block_size"
        problems.append(Problem(code=code, args=args, field="block_size"))
    if params.method == "tied" and facts.get("tied") is False:
        problems.append(Problem(code="chat.untied", field="method"))
    return problems


def _check_heads(params: QuantizeParams, world: World) -> list[Problem]:
    """ONNX Runtime's attention refuses narrow heads, and only at the first question."""
    known: Described | None = world.describe(params.model)
    while known is not None and known.kind is Kind.ADAPTER and known.facts.get("base"):
        known = world.describe(known.facts["base"])
    file = Path(known.path) / "config.json" if known is not None and known.path else None
    if file is None or not file.is_file():
        return []
    config = json.loads(file.read_text("utf-8"))
    heads = config.get("num_attention_heads") or 1
    size = config.get("head_dim") or config.get("hidden_size", 0) // heads
    return [Problem(code="chat.head_size", args={"size": size}, field="model")] if size % 16 else []


def _prompts(folder: Path) -> list[list[int]]:
    file = folder / "template.json"
    template = Template.model_validate_json(file.read_text("utf-8")) if file.is_file() else Template()
    encoder = Encoder(folder)
    return [encoder.prompt_ids(template, Row(id=str(at), input=text)) for at, text in enumerate(QUESTIONS)]


def _agreement(original: list[int], heard: dict[str, Any], ctx: Any) -> float:
    """Share of questions whose first token is the original's."""
    same: int = sum(ours == theirs for ours, theirs in zip(heard["first"], original, strict=True))
    ctx.log(f"Asked {len(original)} questions: the first token is the original's in {same}. Answers: {heard['texts']}")
    return same / len(original)


STAGE = Stage(
    name="quantize",
    title="Quantize",
    kind=Kind.ONNX,
    params=QuantizeParams,
    result=QuantizeResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-135m-instruct", "precision": "int4", "block_size": 64},
)
