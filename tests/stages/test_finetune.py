"""The LoRA stage: adapter folder, facts, QLoRA, checks, quote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.chat_template import Encoder
from backend.jobs.context import MemoryContext
from backend.stages.finetune import STAGE, FinetuneParams
from tests.helpers import build_tiny_model, dataset_view, model_view, tiny_dataset, view
from tests.stages.fake_world import FakeWorld


class World(FakeWorld):
    """A roomy machine that knows the given artifacts."""

    memory_bytes = 64 * 10**9
    free_disk_bytes = 10**12

    def __init__(self, *views: ArtifactView, pace: float = 1.0) -> None:
        super().__init__(*views)
        self.pace = pace

    def speed(self) -> float:
        return self.pace


SMOL: dict[str, Any] = {
    "parameters": 134_515_008,
    "layers": 30,
    "hidden_size": 576,
    "vocabulary": 49152,
    "context": 8192,
    "tied": True,
}
ROWS: dict[str, Any] = {"rows": {"train": 400, "validation": 100}, "prompt_chars": 51, "answer_chars": 16, "labels": []}


def smol_world(**facts: Any) -> World:
    return World(view(Path("m"), Kind.MODEL, "m", **SMOL), view(Path("d"), Kind.DATASET, "d", **ROWS | facts))


def test_check_names_every_problem() -> None:
    problems = STAGE.check(FinetuneParams(model="nope", data="neither"), smol_world())
    assert [problem.field for problem in problems] == ["model", "data"]
    empty = smol_world(rows={"train": 0})
    problems = STAGE.check(FinetuneParams(model="m", data="d", max_length=9000), empty)
    assert [problem.code for problem in problems] == ["train.no_rows", "train.context"]
    assert STAGE.check(FinetuneParams(model="m", data="d"), smol_world()) == []
    tight = smol_world()
    tight.memory_bytes = 10**9
    assert STAGE.check(FinetuneParams(model="m", data="d"), tight)[0].code == "core.memory_low"


def test_quote_grows_with_the_work_and_shrinks_with_speed() -> None:
    world, params = smol_world(), FinetuneParams(model="m", data="d")
    once = STAGE.quote(params, world)
    assert once.seconds < STAGE.quote(params.model_copy(update={"epochs": 6.0}), world).seconds
    assert once.memory_bytes < STAGE.quote(params.model_copy(update={"batch_size": 64}), world).memory_bytes
    world.pace = 2.0
    assert STAGE.quote(params, world).seconds == pytest.approx(once.seconds / 2)
    assert once.forecast["format"] == "adapter" and once.forecast["base"] == "m"
    assert once.forecast["parameters"] == SMOL["parameters"]
    assert once.forecast["adapter_parameters"] == 16 * 30 * 10_176
    few = STAGE.quote(params.model_copy(update={"targets": ["q_proj", "v_proj"]}), world)
    assert few.forecast["adapter_parameters"] == 16 * 30 * (2 * 576 + 576 + 192)


@pytest.fixture
def inputs(tiny_model: Path, tmp_path: Path) -> list[ArtifactView]:
    return [model_view(tiny_model), dataset_view(tiny_dataset(tmp_path / "data"))]


def tune(tmp_path: Path, inputs: list[ArtifactView], name: str = "job", **params: Any) -> tuple[Any, MemoryContext]:
    ctx = MemoryContext(tmp_path / name, inputs)
    given = {"model": inputs[0].id, "data": inputs[1].id, "rank": 4, "learning_rate": 0.02, "epochs": 4, **params}
    return STAGE.run(STAGE.parse({"batch_size": 8, **given}), ctx), ctx


def made(ctx: MemoryContext) -> tuple[Path, dict[str, Any]]:
    event = next(event for event in ctx.events if event["event"] == "artifact")
    return Path(event["path"]), event["manifest"]


@pytest.mark.ml
def test_adapter_learns_and_is_complete(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    from backend.ml.inference.load import load_model

    result, ctx = tune(tmp_path, inputs)
    losses = [e["value"] for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    assert losses[-1] < losses[0] - 0.15 and result.metrics["trained_parameters"] > 0
    path, manifest = made(ctx)
    assert (path / "adapter_model.safetensors").is_file() and (path / "template.json").is_file()
    assert json.loads((path / "adapter_config.json").read_text())["base_model_name_or_path"] == inputs[0].name
    for file in [*path.glob("*.json"), *path.glob("*.md")]:
        assert str(tmp_path.parent) not in file.read_text("utf-8")
    assert Encoder(path).ids("red item") == Encoder(inputs[0].path).ids("red item")
    assert manifest["parents"] == sorted(view.id for view in inputs)
    assert manifest["facts"]["parameters"] == inputs[0].facts["parameters"]
    assert manifest["facts"]["adapter_parameters"] == result.metrics["trained_parameters"]
    assert manifest["facts"]["base"] == inputs[0].id and manifest["facts"]["template"]["system"] == "Name the colour."
    adapter = view(path, Kind.ADAPTER, "a", **manifest["facts"])
    ids = load_model(adapter, ctx.input).get_base_model().dummy_inputs["input_ids"]
    merged = load_model(adapter, ctx.input, merged=True)
    assert all(weight.requires_grad for weight in merged.parameters())
    import torch

    torch.testing.assert_close(merged(ids).logits, load_model(adapter, ctx.input)(ids).logits, atol=1e-4, rtol=1e-3)
    assert not torch.allclose(merged(ids).logits, load_model(inputs[0], ctx.input)(ids).logits, atol=1e-2)


def test_full_is_quoted_with_all_weights_and_leaves_a_model() -> None:
    world = smol_world()
    full, lora = (FinetuneParams(model="m", data="d", method=how) for how in ("full", "lora"))
    assert (STAGE.makes(full), STAGE.makes(lora)) == (Kind.MODEL, Kind.ADAPTER)
    more = STAGE.quote(full, world).memory_bytes - STAGE.quote(lora, world).memory_bytes
    assert more == 12 * (SMOL["parameters"] - 16 * 30 * 10_176), "gradient and two moments of every weight"
    forecast = STAGE.quote(full, world).forecast
    assert forecast["format"] == "torch" and forecast["data"] == "d" and "base" not in forecast
    assert STAGE.inactive(full.model_dump()) >= {"rank", "alpha", "targets", "qlora"}
    odd = FinetuneParams(model="m", data="d", method="full", rank=5, initialization="orthogonal", qlora=True)
    assert {each.code for each in STAGE.check(odd, world)} == {"train.unread"}


@pytest.mark.ml
def test_full_trains_every_weight_and_goes_on(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    from safetensors.torch import load_file

    from backend.ml.compression.olive_export import merged_model_folder
    from backend.results.evaluations import lineage

    result, ctx = tune(tmp_path, inputs, method="full", learning_rate=0.003, rank=16)
    losses = [e["value"] for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    assert losses[-1] < losses[0] - 0.15
    path, manifest = made(ctx)
    before, after = (load_file(folder / "model.safetensors") for folder in (inputs[0].path, path))
    assert before.keys() == after.keys() and all((before[name] != after[name]).any() for name in before)
    facts = manifest["facts"]
    assert result.metrics["trained_parameters"] == facts["parameters"]
    assert (
        "base" not in facts and "adapter_parameters" not in facts and facts["template"]["system"] == "Name the colour."
    )
    model = view(path, Kind.MODEL, "a", parents=manifest["parents"], **facts)
    assert merged_model_folder(model, ctx.input, tmp_path) == path, "the next stages take it as it is"
    assert [each.how for each in lineage(model, {each.id: each for each in inputs})] == ["imported", "tuned"]


@pytest.mark.ml
def test_same_seed_same_bytes(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    digests = set()
    for name in ("one", "two"):
        _, ctx = tune(tmp_path, inputs, name, epochs=1)
        digests.add(made(ctx)[1]["files"]["adapter_model.safetensors"])
    assert len(digests) == 1


@pytest.mark.ml
@pytest.mark.parametrize(("bits", "hidden"), [(4, 64), (8, 40)])
def test_qlora_learns_on_a_quantized_model(tmp_path: Path, inputs: list[ArtifactView], bits: int, hidden: int) -> None:
    wide = [model_view(build_tiny_model(tmp_path / "wide", hidden=hidden)), inputs[1]]
    result, ctx = tune(tmp_path, wide, qlora=True, qlora_bits=bits)
    losses = [e["value"] for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    assert losses[-1] < losses[0] - 0.15 and result.metrics["eval_loss"] < losses[0]


def test_qlora_in_four_bits_needs_rows_of_64() -> None:
    world = World(
        view(Path("m"), Kind.MODEL, "m", **SMOL | {"hidden_size": 40}), view(Path("d"), Kind.DATASET, "d", **ROWS)
    )
    problems = STAGE.check(FinetuneParams(model="m", data="d", qlora=True), world)
    assert [problem.code for problem in problems] == ["train.qlora_size"]
    eight = FinetuneParams(model="m", data="d", qlora=True, qlora_bits=8)
    assert STAGE.check(eight, world) == []
    unread = STAGE.check(FinetuneParams(model="m", data="d", qlora_bits=8), smol_world())
    assert [(each.code, each.field) for each in unread] == [("train.unread", "qlora_bits")]
    sizes = [
        STAGE.quote(
            FinetuneParams(model="m", data="d", qlora=bits > 0, qlora_bits=bits or 4), smol_world()
        ).memory_bytes
        for bits in (4, 8, 0)
    ]
    assert sizes == sorted(sizes) and len(set(sizes)) == 3


@pytest.mark.ml
@pytest.mark.parametrize("extra", [{"gradient_checkpointing": True}, {"accumulation": 2, "dropout": 0.1}])
def test_options_train_too(tmp_path: Path, inputs: list[ArtifactView], extra: dict[str, Any]) -> None:
    _, ctx = tune(tmp_path, inputs, **extra)
    losses = [e["value"] for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    assert losses[-1] < losses[0] - 0.15


@pytest.mark.ml
@pytest.mark.parametrize(
    "extra", [{"method": "dora", "targets": "attention"}, {"method": "rslora", "initialization": "orthogonal"}]
)
def test_variants_learn_and_merge(tmp_path: Path, inputs: list[ArtifactView], extra: dict[str, Any]) -> None:
    import torch

    from backend.ml.inference.load import load_model

    _, ctx = tune(tmp_path, inputs, **extra)
    losses = [e["value"] for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    assert losses[-1] < losses[0] - 0.15
    path, manifest = made(ctx)
    adapter = view(path, Kind.ADAPTER, "a", **manifest["facts"])
    ids = load_model(adapter, ctx.input).get_base_model().dummy_inputs["input_ids"]
    merged = load_model(adapter, ctx.input, merged=True)
    torch.testing.assert_close(merged(ids).logits, load_model(adapter, ctx.input)(ids).logits, atol=1e-4, rtol=1e-3)


def test_what_can_be_seen_of_an_adapter_before_it_is_made() -> None:
    world = smol_world()
    asked = FinetuneParams(model="m", data="d", initialization="orthogonal", rank=5)
    assert [problem.code for problem in STAGE.check(asked, world)] == ["train.odd_rank"]
    big = World(
        view(Path("m"), Kind.MODEL, "m", **SMOL | {"parameters": 10**9, "hidden_size": 2048, "layers": 16}),
        view(Path("d"), Kind.DATASET, "d", **ROWS),
    )
    [warned] = STAGE.check(FinetuneParams(model="m", data="d", learning_rate=1e-3), big)
    assert (warned.code, warned.field, warned.blocking) == ("train.rate_large", "learning_rate", False)
    for rate, how in ((None, "lora"), (None, "full"), (2e-4, "lora"), (5e-5, "full")):
        assert STAGE.check(FinetuneParams(model="m", data="d", learning_rate=rate, method=how), big) == []
    plain, dora = (STAGE.quote(FinetuneParams(model="m", data="d", method=how), world) for how in ("lora", "dora"))
    assert plain.seconds < dora.seconds
    few = STAGE.quote(FinetuneParams(model="m", data="d", targets="attention"), world)
    named = STAGE.quote(FinetuneParams(model="m", data="d", targets=[r".*\.self_attn\..*"]), world)
    assert few.forecast["adapter_parameters"] == named.forecast["adapter_parameters"] == 16 * 30 * (4 * 576 + 2 * 768)


def test_the_learning_rate_follows_size_and_method() -> None:
    def rate(parameters: int, **params: Any) -> float:
        world = smol_world()
        world.known["m"].facts["parameters"] = parameters
        learning = STAGE.quote(FinetuneParams(model="m", data="d", **params), world).learning
        assert learning and learning.usual_rates[0] < learning.usual_rates[1]
        return learning.learning_rate

    sizes = (135_000_000, 600_000_000, 3_000_000_000)
    assert [rate(size) for size in sizes] == [1e-3, 5e-4, 2e-4]
    assert [rate(size, method="full") for size in sizes] == [1e-4, 5e-5, 2e-5]
    assert rate(sizes[2], learning_rate=0.003) == 0.003, "what is said is meant"
    asked = FinetuneParams(model="m", data="d").resolved({"parameters": sizes[2]})
    assert asked.rate == 2e-4 and asked.learning_rate == 2e-4


def test_presets_can_start_and_the_one_for_memory_needs_least() -> None:
    world, memory = smol_world(), {}
    for name, values in STAGE.presets.items():
        params = FinetuneParams(model="m", data="d", **values)
        assert STAGE.check(params, world) == [], name
        memory[name] = STAGE.quote(params, world).memory_bytes
    assert min(memory, key=lambda name: memory[name]) == "Least memory"


@pytest.mark.ml
def test_a_run_without_a_rate_keeps_the_one_it_took(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    for how, expected in (("lora", 1e-3), ("full", 1e-4)):
        _, ctx = tune(tmp_path, inputs, how, method=how, learning_rate=None, max_steps=1, evaluate_rows=0)
        assert made(ctx)[1]["facts"]["training"]["learning_rate"] == expected


@pytest.mark.ml
def test_unknown_target_is_named(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    with pytest.raises(StudioError, match=r"q_projj.*q_proj"):
        tune(tmp_path, inputs, targets=["q_projj"])


@pytest.mark.ml
def test_answers_that_do_not_fit(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    from backend.data.dataset import Row, write_split

    write_split(inputs[1].path, "train", [Row(id="1", input="x", output="blue " * 60)])
    with pytest.raises(StudioError, match="Raise the maximum length"):
        tune(tmp_path, inputs, max_length=16)


@pytest.mark.ml
def test_license_and_notice_go_with_the_weights(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    from backend.ml.compression.olive_export import merged_model_folder

    base = model_view(build_tiny_model(tmp_path / "base"))
    (base.path / "LICENSE").write_text("Apache License")
    (base.path / "NOTICE").write_text("Made by A.\n")
    (inputs[1].path / "NOTICE").write_text("Sentences by B.\n")
    _, ctx = tune(tmp_path, [base, inputs[1]], epochs=1)
    path, manifest = made(ctx)
    (tmp_path / "merged").mkdir()
    merged = merged_model_folder(view(path, Kind.ADAPTER, "a", **manifest["facts"]), ctx.input, tmp_path / "merged")
    for folder in (path, merged):
        assert (folder / "LICENSE").read_text() == "Apache License"
        assert (folder / "NOTICE").read_text() == "Made by A.\n\nSentences by B.\n"
