"""Prune: a small student from a larger model, with some of its layers and the vocabulary that a dataset needs.

Needs a model (an adapter is merged into its model first) and a dataset, which shows what the model is for: the layers that
matter for it are measured on its rows, and its texts say which tokens have to stay. Leaves a full model with a tokenizer
of its own, in which every text can still be written. It is meant to be trained next.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Annotated, Any, Literal

from pydantic import Field

from backend.core.errors import Problem
from backend.core.fields import Labels, Name
from backend.core.progress import Progress
from backend.core.refs import DatasetRef, TorchRef
from backend.core.schemas import ArtifactView, Kind, Quote
from backend.core.stage import Context, Params, Result, Stage, World, check_fits, check_refs
from backend.data import vocabulary
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.data.vocabulary import SIZE_MULTIPLE, Vocabulary
from backend.inference import time_estimates
from backend.models import costs
from backend.models.architectures import CONFIG_OF
from backend.training.params import learned_facts


class PruneParams(Params):
    """What the form, the command line and recipes offer."""

    model: TorchRef = Field(
        title="Model to prune",
        description="Usually the teacher: the student starts with its weights. Adapters are merged first.",
    )
    data: DatasetRef = Field(
        title="Dataset",
        description="Examples of the student's task. They show which layers and tokens matter.",
    )
    keep_layers: int = Field(
        default=0,
        ge=0,
        le=512,
        title="Layers to keep",
        description="Layers the student keeps. Fewer make it smaller and faster but need more examples. 0 keeps all.",
    )
    choose: Annotated[Literal["importance", "even"], Labels({"importance": "Measured", "even": "Evenly"})] = Field(
        default="importance",
        title="Layer selection",
        description="Measured: the layers that most affect your examples. Evenly: the first three, the "
        "rest spread out to the last.",
    )
    layers: list[int] = Field(
        default=[],
        title="Layers",
        description="Exact layers, counted from 0. Leave blank to select by number of layers.",
    )
    vocabulary: Annotated[Literal["data", "whole"], Labels({"data": "Pruned to the data", "whole": "Full"})] = Field(
        default="data",
        title="Vocabulary",
        description="Pruned to the data: keeps the tokens your examples need plus the most common ones. "
        "Other text still works, in shorter pieces.",
    )
    vocabulary_size: int = Field(
        default=4096,
        ge=256,
        le=1_000_000,
        title="Minimum vocabulary",
        description="Keeps common tokens up to this number even if unused. More suits few or varied "
        "examples; less is smaller.",
    )
    name: Name = ""


class PruneResult(Result):
    """Metrics: parameters, layers, vocabulary."""


def even_layers(keep: int, layers: int) -> list[int]:
    """Which `keep` of `layers` layers stay without measuring: the first three, and the rest evenly up to the last
    (30 -> 6: 0, 1, 2, 11, 20, 29)."""
    first = list(range(min(3, max(1, keep - 1))))
    rest = keep - len(first)
    stride = (layers - 1 - first[-1]) / max(1, rest)
    return first + [round(first[-1] + stride * step) for step in range(1, rest + 1)]


def check(params: PruneParams, world: World) -> list[Problem]:
    problems = check_refs(params, world)
    if problems:
        return problems
    model, data = world.describe(params.model), world.describe(params.data)
    assert model and data
    count = int(model.facts["layers"])
    if params.layers and params.keep_layers:
        problems.append(Problem(code="train.layers_twice", field="layers"))
    for layer in sorted(set(params.layers)):
        if not 0 <= layer < count or params.layers.count(layer) > 1:
            problems.append(Problem(code="train.layers", args={"layer": layer, "last": count - 1}, field="layers"))
    if params.keep_layers > count:
        args = {"keep": params.keep_layers, "layers": count}
        problems.append(Problem(code="train.keep_layers", args=args, field="keep_layers"))
    if params.vocabulary == "whole" and _kept_layer_count(params, count) == count:
        problems.append(Problem(code="cut.nothing", field="keep_layers"))
    rows = data.facts["rows"]
    if _needs_importance(params, count) and not data.pending and not (rows.get("train") or rows.get("pool")):
        problems.append(Problem(code="train.no_rows", args={"data": params.data}, field="data"))
    if params.vocabulary == "data" and (folder := _tokenizer_folder(params.model, world)):
        wrong = vocabulary.unsupported_tokenizer(folder)
        problems += [wrong] if wrong else []
    return problems or check_fits(quote(params, world), world)


def quote(params: PruneParams, world: World) -> Quote:
    model, data = world.describe(params.model), world.describe(params.data)
    assert model and data
    layers = int(model.facts["layers"])
    keep = _kept_layer_count(params, layers)
    facts = costs.with_layers(costs.merged(model.facts), keep)
    rows = sum(int(count) for count in data.facts["rows"].values())
    facts["kept_layers"] = params.layers or even_layers(keep, layers)
    seconds = costs.start_seconds(model.facts)
    if params.vocabulary == "data":
        wanted = max(params.vocabulary_size, costs.distinct_tokens(data.facts))
        size = -(-round(wanted) // SIZE_MULTIPLE) * SIZE_MULTIPLE
        facts = costs.with_vocabulary(facts, min(int(facts["vocabulary"]), size))
        seconds += rows * SECONDS_A_ROW
    if _needs_importance(params, layers):
        load = time_estimates.Load(
            rows=SAMPLE_ROWS, prompt=costs.row_tokens(data.facts, MAX_TOKENS), answer=0, data_bytes=0
        )
        seconds += time_estimates.answer_seconds({**model.facts, "format": "torch"}, load)
    return Quote(
        seconds=seconds / world.speed(),
        memory_bytes=costs.answer_bytes({**model.facts, "format": "torch"}),
        disk_bytes=facts["parameters"] * 4 + 4_000_000,
        forecast={**facts, "format": "torch", "data": params.data, CONFIG_OF: params.model},
    )


SECONDS_A_ROW = 0.0002
"""To read a row as tokens: 0.37 s for the 1,812 rows of the demo."""
SAMPLE_ROWS, MAX_TOKENS = 64, 512
"""What layers are measured on."""


def run(params: PruneParams, ctx: Context) -> PruneResult:
    from backend.ml.compression.prune import prune_layers, prune_vocabulary
    from backend.ml.inference.load import load_model

    source, data = ctx.input(params.model), ctx.input(params.data)
    ctx.progress(0, 1, "loading the model")
    model = load_model(source, ctx.input, merged=True)
    ctx.raise_if_cancelled()
    layers, scores = _layers(params, model, source, data, ctx)
    tokens = _tokens(params, model, source, data, ctx)
    ctx.progress(0, 1, "creating the student")
    if len(layers) < model.config.num_hidden_layers:
        prune_layers(model, layers)
    if tokens:
        prune_vocabulary(model, tokens)
    return _keep(params, model, source, data, {"kept_layers": layers, **scores}, tokens, ctx)


def _kept_layer_count(params: PruneParams, layers: int) -> int:
    return len(params.layers) or params.keep_layers or layers


def _needs_importance(params: PruneParams, layers: int) -> bool:
    return params.choose == "importance" and not params.layers and _kept_layer_count(params, layers) < layers


def _layers(
    params: PruneParams, model: Any, source: ArtifactView, data: ArtifactView, ctx: Context
) -> tuple[list[int], dict[str, Any]]:
    """The layers that stay, and what was measured to choose them."""
    count = model.config.num_hidden_layers
    keep = _kept_layer_count(params, count)
    scores: dict[str, Any] = {}
    if _needs_importance(params, count):
        kept, scores = _important_layers(params, model, source, data, ctx)
    else:
        kept = params.layers or even_layers(keep, count)
    if len(kept) < count:
        ctx.log(f"The student keeps the layers {', '.join(map(str, kept))} of {count}.")
    return kept, scores


def _tokens(params: PruneParams, model: Any, source: ArtifactView, data: ArtifactView, ctx: Context) -> list[int]:
    """The ids that stay; none when the vocabulary stays whole."""
    from backend.ml.compression.prune import special_ids

    if params.vocabulary == "whole":
        return []
    known = Vocabulary(source.path)
    rows = sum(int(count) for count in data.facts["rows"].values())
    progress = Progress(ctx, rows, "reading rows")
    used = vocabulary.used_token_ids(source.path, DataFolder(data.path), progress.add)
    kept = known.keep(used | (special_ids(model) & known.tokens.keys()), params.vocabulary_size)
    if len(kept) == len(known.ids):
        ctx.log(f"The vocabulary stays whole: it has {len(known.ids)} tokens.")
        return []
    ctx.log(f"The data uses {len(used)} tokens; the student keeps {len(kept)} of {len(known.ids)}.")
    return kept


def _important_layers(
    params: PruneParams, model: Any, source: ArtifactView, data: ArtifactView, ctx: Context
) -> tuple[list[int], dict[str, Any]]:
    from backend.ml.compression.layer_importance import block_influence

    texts = _sample(source.path, DataFolder(data.path), ctx.seed)
    progress = Progress(ctx, len(texts), "measuring layers")
    scores = block_influence(model, texts, lambda: progress.add(8))
    order = sorted(range(len(scores)), key=lambda layer: -scores[layer])
    ctx.log("Influence by layer: " + ", ".join(f"{layer}: {score:.3f}" for layer, score in enumerate(scores)) + ".")
    kept = sorted(order[: _kept_layer_count(params, len(scores))])
    return kept, {"layer_influence": [round(score, 5) for score in scores]}


def _sample(model: Path, data: DataFolder, seed: int) -> list[list[int]]:
    """Ids of some learned rows, with their answers where there are any."""
    encoder = Encoder(model)
    rows = [row for split in ("train", "pool") for row in data.rows(split)]
    chosen = Random(seed).sample(rows, min(SAMPLE_ROWS, len(rows)))
    asked = [(encoder.prompt_ids(data.template, row), row) for row in chosen]
    texts = [ids + (encoder.row_answer_ids(data.template, row) if row.output is not None else []) for ids, row in asked]
    return [ids[-MAX_TOKENS:] for ids in texts]


def _keep(
    params: PruneParams,
    model: Any,
    source: ArtifactView,
    data: ArtifactView,
    about: dict[str, Any],
    tokens: list[int],
    ctx: Context,
) -> PruneResult:
    from backend.ml.training.full_model import save_model
    from backend.models.probe import inspect_folder

    out = ctx.scratch("out")
    save_model(model, out)
    inherited = learned_facts(source, data, out)
    if tokens:
        Vocabulary(source.path).write(tokens, out)
    facts = {**inspect_folder(out), "data": inherited["data"], "template": inherited["template"], **about}
    name = params.name or f"{source.name}-pruned-{facts['layers']}"
    parents = [source.id, data.id]
    made = ctx.artifact(Kind.MODEL, name, out, facts=facts, parents=parents, license=source.license)
    metrics = {metric: float(facts[metric]) for metric in ("parameters", "layers", "vocabulary")}
    return PruneResult(artifact=made.id, metrics=metrics)


def _tokenizer_folder(ref: str, world: World) -> Path | None:
    """Where the tokenizer lies that a model will have; None when no folder is there yet."""
    known = world.describe(ref)
    while known is not None and known.pending and known.facts.get("base"):
        known = world.describe(known.facts["base"])
    folder = Path(known.path) if known is not None and known.path else None
    return folder if folder and (folder / "tokenizer.json").is_file() else None


STAGE = Stage(
    name="prune",
    title="Prune student",
    page="distill",
    open=("model", "data", "keep_layers", "vocabulary"),
    offers={"model": ("preference", "finetune"), "data": ("review", "curate", "judge", "teacher", "dataset")},
    kind=Kind.MODEL,
    params=PruneParams,
    result=PruneResult,
    check=check,
    quote=quote,
    run=run,
    example={"model": "${teacher}", "data": "${data}", "keep_layers": 6},
)
