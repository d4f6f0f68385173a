"""Attach a LoRA adapter to an ONNX model that has slots for it, so that one model in memory serves many adapters.

Needs a model that `quantize` left with room for adapters, an adapter that was trained on the same model, and a dataset. Leaves
an artifact of kind onnx with the adapter's weights alone, its facts name the shared model as `base`, and the report of the
parity check that it passed. The adapter is written under the names of the graph, loaded by ONNX Runtime GenAI and compared with
the torch adapter first: what does not load or answers otherwise leaves nothing.
"""

from __future__ import annotations

import shutil
import time
from typing import Annotated, Any

from pydantic import Field

from backend.checks.check import failed
from backend.core.errors import Problem, StudioError
from backend.core.fields import Name
from backend.core.refs import DatasetRef, OnnxRef, RefTo
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs, check_rows
from backend.models import costs
from backend.models.quantization import ADAPTER_FILE
from backend.stages import parity
from backend.stages.parity import ParityParams

AdapterRef = Annotated[str, RefTo((Kind.ADAPTER,))]
_ADAPTER_FACTS = ("data", "template", "adapter_parameters")
"""Facts that are the adapter's and not the shared model's."""


class AttachParams(Params):
    model: OnnxRef = Field(title="Shared ONNX model", description="Model quantized with adapter slots.")
    adapter: AdapterRef = Field(
        title="Adapter", description="LoRA adapter trained on the same model. Its weights are not merged."
    )
    data: DatasetRef = Field(
        title="Dataset",
        description="Rows for checking the attached adapter. Use its own dataset.",
    )
    rows: int = Field(
        32,
        title="Maximum rows",
        description="Validation rows both models answer. More rows are more reliable but slower.",
        ge=4,
        le=1000,
    )
    name: Name = ""


class AttachResult(Result):
    """Metrics: size_bytes of what was added, seconds, and those of the parity check."""


def check(params: AttachParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    model, adapter = world.describe(params.model), world.describe(params.adapter)
    assert model and adapter
    if model.pending and not model.facts.get("room_for"):
        problems.append(Problem(code="slots.no_room", args={"ref": params.model}, field="model"))
    elif not (model.pending or adapter.pending):
        problems += _base_problems(params.model, model.facts, params.adapter, adapter.facts)
    problems += check_rows(params.data, "validation", world, "data")
    return problems or check_fits(quote(params, world), world)


def quote(params: AttachParams, world: World) -> Quote:
    """Time and memory are those of the comparison."""
    model, adapter = world.describe(params.model), world.describe(params.adapter)
    facts = _facts(model.facts if model else {}, adapter.facts if adapter else {}, params.model)
    size = 4 * int(facts.get("adapter_parameters", 0)) + 80 * int(facts.get("vocabulary", 0))
    compared = parity.quote(_comparison(params), world)
    return compared.model_copy(update={"disk_bytes": size, "forecast": {**facts, "size_bytes": size}})


def run(params: AttachParams, ctx: Context) -> AttachResult:
    begun = time.monotonic()
    model, adapter = ctx.input(params.model), ctx.input(params.adapter)
    if problems := _base_problems(model.name, model.facts, adapter.name, adapter.facts):
        raise StudioError.of(problems)
    ctx.progress(0, 1, "writing the adapter")
    out = _write(model, adapter, ctx)
    facts = _facts(model.facts, adapter.facts, model.id)
    export = model.model_copy(update={"id": adapter.id, "name": adapter.name, "path": out, "facts": facts})
    asked = _comparison(params)
    checks, found = parity.run_checks(asked, ctx, export, adapter, [model])
    if wrong := failed(checks):
        raise StudioError("slots.parity", failed=", ".join(wrong))
    name = params.name or f"{adapter.name}-on-{model.name}"
    made = ctx.artifact(Kind.ONNX, name, out, facts=facts, parents=[model.id, adapter.id], license=adapter.license)
    about = (made, adapter, ctx.input(params.data))
    parity.save_report(asked, ctx, about, checks, found, str(facts.get("precision", "")))
    metrics = {"size_bytes": float(made.size_bytes), "seconds": time.monotonic() - begun}
    return AttachResult(artifact=made.id, metrics=metrics | parity.metrics(checks))


def _comparison(params: AttachParams) -> ParityParams:
    return ParityParams.model_validate({"model": params.model, "data": params.data, "rows": params.rows})


def _base_problems(model: str, facts: dict[str, Any], name: str, adapter: dict[str, Any]) -> list[Problem]:
    """Whether the adapter belongs to the model that `facts` are about."""
    if not facts.get("room_for"):
        return [Problem(code="slots.no_room", args={"ref": model}, field="model")]
    if facts["room_for"] != adapter.get("base", facts["room_for"]):
        return [Problem(code="slots.other_base", args={"ref": model, "adapter": name}, field="adapter")]
    return []


def _facts(shared: dict[str, Any], adapter: dict[str, Any], base: str) -> dict[str, Any]:
    """The shared model's with what is the adapter's own."""
    kept = {name: value for name, value in costs.merged(shared).items() if name not in ("room_for", "size_bytes")}
    return {**kept, **{name: adapter[name] for name in _ADAPTER_FACTS if name in adapter}, "base": base}


def _write(model: ArtifactView, adapter: ArtifactView, ctx: Context) -> Any:
    """A folder with the adapter's weights, tokenizer and templates, and the settings of the model that it shares."""
    from backend.ml.compression import olive_export
    from backend.ml.compression.adapter_slots import write_adapter

    out = ctx.scratch("out")
    olive_export.copy_tokenizer_and_license(adapter.path, out)
    shutil.copyfile(model.path / "genai_config.json", out / "genai_config.json")
    write_adapter(adapter.path, model.path, out / ADAPTER_FILE)
    return out


STAGE = Stage(
    name="attach",
    title="Attach adapter",
    page="quantize",
    open=("model", "adapter", "data"),
    offers={"adapter": ("preference", "finetune")},
    kind=Kind.ONNX,
    params=AttachParams,
    result=AttachResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "smollm2-int4-shared", "adapter": "my-adapter", "data": "voice-commands"},
)
