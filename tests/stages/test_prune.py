"""The stage that cuts a student: layers, vocabulary, facts, an adapter as its source, and the chain after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.jobs.context import MemoryContext
from backend.stages.prune import STAGE, PruneParams, even_layers
from tests.helpers import build_tiny_model, dataset_view, model_view, tiny_dataset, view
from tests.stages.fake_world import FakeWorld
from tests.stages.test_finetune import made, smol_world, tune

SMALL = {"vocabulary_size": 256}
TEXTS = Path(__file__).read_text("utf-8").splitlines()
"""What the tokenizer learns beside the words of the data, so that there is something to cut."""


def test_even_layers() -> None:
    assert even_layers(6, 30) == [0, 1, 2, 11, 20, 29]
    for layers in range(1, 40):
        for keep in range(1, layers + 1):
            kept = even_layers(keep, layers)
            assert kept == sorted(set(kept)) and len(kept) == keep and kept[0] == 0
            assert kept[-1] == (layers - 1 if keep > 1 else 0)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"keep_layers": 31}, "train.keep_layers"),
        ({"layers": [0, 30]}, "train.layers"),
        ({"layers": [1, 1]}, "train.layers"),
        ({"layers": [1], "keep_layers": 1}, "train.layers_twice"),
        ({"vocabulary": "whole"}, "cut.nothing"),
        ({"vocabulary": "whole", "keep_layers": 30}, "cut.nothing"),
    ],
)
def test_check(params: dict[str, Any], code: str) -> None:
    problems = STAGE.check(PruneParams(model="m", data="d", **params), smol_world())
    assert [problem.code for problem in problems] == [code]
    assert problems[0].text()


def test_layers_are_not_measured_without_rows() -> None:
    measured, even = PruneParams(model="m", data="d", keep_layers=6), PruneParams(model="m", data="d", layers=[0, 9])
    empty = smol_world(rows={"train": 0, "pool": 0, "test": 50})
    problems = STAGE.check(measured, empty)
    assert [(problem.code, problem.field) for problem in problems] == [("train.no_rows", "data")]
    assert STAGE.check(even, empty) == STAGE.check(measured, smol_world(rows={"pool": 9})) == []
    to_come = smol_world()
    to_come.known.pop("d")
    assert STAGE.check(measured, to_come.add("d", Kind.DATASET, **empty.known["d"].facts)) == []


def test_another_tokenizer_is_refused_beforehand_also_under_an_adapter_to_come(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"type": "Unigram"}}), "utf-8")
    facts = smol_world().known["m"].facts
    data = view(tmp_path, Kind.DATASET, "d", rows={"train": 9}, prompt_chars=9, answer_chars=9)
    world = FakeWorld(view(tmp_path, Kind.MODEL, "m", **facts), data)
    world.add("${tuned}", Kind.ADAPTER, **facts, base="m", format="adapter")
    for ref in ("m", "${tuned}"):
        problems = STAGE.check(PruneParams(model=ref, data="d"), world)
        assert [(problem.code, problem.field) for problem in problems] == [("cut.tokenizer", "vocabulary")]
        assert STAGE.check(PruneParams(model=ref, data="d", vocabulary="whole", keep_layers=2), world) == []


def test_quote_forecasts_the_cut_student() -> None:
    whole = STAGE.quote(PruneParams(model="m", data="d", keep_layers=6, vocabulary="whole"), smol_world())
    assert whole.forecast["layers"] == 6
    assert whole.forecast["parameters"] == pytest.approx(49_552_704, rel=0.01)
    cut = STAGE.quote(PruneParams(model="m", data="d", keep_layers=6), smol_world())
    assert cut.forecast["vocabulary"] == 4096
    assert cut.forecast["parameters"] == pytest.approx(23_600_448, rel=0.01)
    assert cut.disk_bytes < whole.disk_bytes
    many = STAGE.quote(PruneParams(model="m", data="d"), smol_world(rows={"train": 10**6}))
    assert many.forecast["vocabulary"] == 49152


@pytest.fixture
def inputs(tmp_path: Path) -> list[ArtifactView]:
    return [
        model_view(build_tiny_model(tmp_path / "m", layers=4, texts=TEXTS)),
        dataset_view(tiny_dataset(tmp_path / "data")),
    ]


def cut(tmp_path: Path, inputs: list[ArtifactView], **params: Any) -> tuple[Any, ArtifactView, MemoryContext]:
    ctx = MemoryContext(tmp_path / "cut", inputs)
    given = {"model": inputs[0].id, "data": inputs[1].id, **SMALL, **params}
    result = STAGE.run(STAGE.parse(given), ctx)
    path, manifest = made(ctx)
    return result, view(path, Kind.MODEL, "cut", **manifest["facts"]), ctx


@pytest.mark.ml
def test_a_cut_vocabulary_changes_no_probability(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    """All layers kept: the same logits as the whole model gives to the kept tokens."""
    import torch

    from backend.ml.inference.load import load_model

    result, student, ctx = cut(tmp_path, inputs)
    whole, small = (load_model(each, ctx.input) for each in (inputs[0], student))
    before, after = Encoder(inputs[0].path), Encoder(student.path)
    kept = [before.tokenizer.token_to_id(after.tokenizer.id_to_token(at)) for at in range(small.config.vocab_size)]
    assert result.metrics["vocabulary"] == len(kept) < len(before.tokenizer.get_vocab())
    assert len(kept) % 64 == 0 and small.config.vocab_size == small.get_input_embeddings().weight.shape[0] == len(kept)
    data = DataFolder(inputs[1].path)
    for row in [*data.rows("train"), *data.rows("pool")]:
        new = after.prompt_ids(data.template, row)
        old = before.prompt_ids(data.template, row)
        assert [kept[id_] for id_ in new] == old
        logits = whole(torch.tensor([old])).logits[..., kept]
        torch.testing.assert_close(small(torch.tensor([new])).logits, logits, atol=1e-5, rtol=1e-5)


@pytest.mark.ml
def test_special_tokens_move_in_every_config(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    """With special tokens behind the ordinary ones, as other families have them."""
    from transformers import GenerationConfig

    late_specials(inputs[0].path)
    GenerationConfig(eos_token_id=[1022, 1023], pad_token_id=1023).save_pretrained(inputs[0].path)
    _, student, _ = cut(tmp_path, inputs)
    encoder = Encoder(student.path)
    end, start = (encoder.tokenizer.token_to_id(token) for token in ("<|im_end|>", "<|im_start|>"))
    config, generation = (
        json.loads((student.path / name).read_text("utf-8")) for name in ("config.json", "generation_config.json")
    )
    assert end == config["vocab_size"] - 1 and start == config["vocab_size"] - 2
    assert (config["bos_token_id"], config["eos_token_id"], config["pad_token_id"]) == (start, end, end)
    assert generation["eos_token_id"] == [start, end] and generation["pad_token_id"] == end


def late_specials(folder: Path) -> None:
    """Give the special tokens of the tiny model its last ids."""
    moved = {"<|im_start|>": 1022, "<|im_end|>": 1023}
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text("utf-8"))
    vocab = content["model"]["vocab"]
    for token, id_ in list(vocab.items()):
        vocab[token] = moved.get(token, {1022: 1, 1023: 2}.get(id_, id_))
    for token in content["added_tokens"]:
        token["id"] = moved.get(token["content"], token["id"])
    file.write_text(json.dumps(content), "utf-8")
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"bos_token_id": 1022, "eos_token_id": 1023, "pad_token_id": 1023}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")


@pytest.mark.ml
def test_an_untied_head_is_cut_like_the_table(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from backend.ml.compression.prune import prune_vocabulary

    config = LlamaConfig.from_pretrained(inputs[0].path, tie_word_embeddings=False)
    model = LlamaForCausalLM(config).eval()
    kept = [*range(0, 64), *range(500, 564)]
    ids = torch.randint(0, 128, (1, 9))
    logits = model(torch.tensor(kept)[ids]).logits[..., kept]
    small = prune_vocabulary(model, kept)
    torch.testing.assert_close(small(ids).logits, logits, atol=1e-5, rtol=1e-5)
    assert small.lm_head.weight.shape[0] == 128 and small.config.vocab_size == 128


@pytest.mark.ml
def test_layers_are_chosen_by_what_they_do(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    """A layer that adds nothing to what it gets is the first to go."""
    import torch

    from backend.ml.inference.load import load_model

    model = load_model(inputs[0], lambda ref: inputs[0])
    with torch.no_grad():
        for at, strength in enumerate((1.0, 0.0, 3.0, 0.0)):
            model.model.layers[at].self_attn.o_proj.weight *= strength
            model.model.layers[at].mlp.down_proj.weight *= strength
    model.save_pretrained(inputs[0].path)
    result, student, ctx = cut(tmp_path, inputs, keep_layers=2, choose="importance")
    assert student.facts["kept_layers"] == [0, 2]
    assert student.facts["layer_influence"][1] == pytest.approx(0, abs=1e-5)
    assert result.metrics["layers"] == 2 and student.facts["data"] == inputs[1].id
    assert any("keeps the layers 0, 2 of 4" in event.get("text", "") for event in ctx.events)
    small = load_model(student, ctx.input)
    for mine, theirs in ((0, 0), (1, 2)):
        for name, weight in small.model.layers[mine].state_dict().items():
            assert torch.equal(weight, model.model.layers[theirs].state_dict()[name])


@pytest.mark.ml
def test_an_adapter_is_merged_first_and_named_layers_win(tmp_path: Path, tiny_model: Path) -> None:
    import torch

    from backend.ml.inference.load import load_model

    inputs = [model_view(tiny_model), dataset_view(tiny_dataset(tmp_path / "data"))]
    _, tuned = tune(tmp_path, inputs)
    path, manifest = made(tuned)
    adapter = view(path, Kind.ADAPTER, "adapter-a1", **manifest["facts"])
    _, student, ctx = cut(tmp_path, [adapter, inputs[1], inputs[0]], layers=[1], vocabulary="whole")
    small, teacher = load_model(student, ctx.input), load_model(adapter, ctx.input, merged=True)
    assert torch.equal(small.model.embed_tokens.weight, teacher.model.embed_tokens.weight)
    for name, weight in small.model.layers[0].state_dict().items():
        torch.testing.assert_close(weight, teacher.model.layers[1].state_dict()[name], atol=1e-6, rtol=0)
    assert (student.path / "tokenizer.json").read_bytes() == (path / "tokenizer.json").read_bytes()


@pytest.mark.ml
def test_a_stop_is_heard_while_it_measures(
    tmp_path: Path, inputs: list[ArtifactView], monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = MemoryContext(tmp_path / "cut", inputs)
    heard = ctx.progress

    def stop(done: float, total: float, note: str = "") -> None:
        ctx.stop = note == "measuring layers"
        heard(done, total, note)

    monkeypatch.setattr(ctx, "progress", stop)
    with pytest.raises(Cancelled):
        STAGE.run(
            STAGE.parse({"model": inputs[0].id, "data": inputs[1].id, "keep_layers": 2, "choose": "importance"}), ctx
        )


@pytest.mark.ml
def test_a_model_that_keeps_its_layers_elsewhere_is_named() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    from backend.ml.compression.prune import prune_layers

    model = GPT2LMHeadModel(GPT2Config(n_layer=2, n_embd=8, n_head=2, vocab_size=64, n_positions=16))
    with pytest.raises(StudioError, match="gpt2"):
        prune_layers(model, [0])


@pytest.mark.ml
def test_what_was_cut_learns_to_answer(tmp_path: Path) -> None:
    """With a vocabulary of its own; tests/test_chain.py takes such a student on to INT4 and into a package."""
    from backend.inference.protocol import Sampling
    from backend.ml.inference.open import open_engine
    from backend.stages import distill

    base = model_view(build_tiny_model(tmp_path / "m", hidden=64, texts=TEXTS))
    inputs = [base, dataset_view(tiny_dataset(tmp_path / "data", rows=120))]
    _, student, _ = cut(tmp_path, inputs, keep_layers=1)
    ctx = MemoryContext(tmp_path / "distill", [student, inputs[1]])
    params = {"student": student.id, "data": inputs[1].id, "epochs": 20, "learning_rate": 0.004, "batch_size": 8}
    distill.STAGE.run(distill.STAGE.parse({**params, "train_embeddings": "always"}), ctx)
    path, manifest = made(ctx)
    assert (path / "tokenizer.json").read_bytes() == (student.path / "tokenizer.json").read_bytes()
    engine = open_engine(view(path, Kind.MODEL, "learned", **manifest["facts"]), ctx.input)
    data = DataFolder(inputs[1].path)
    rows = list(data.rows("validation"))
    answers = dict(
        engine.answers([engine.encode(data.template.prompt(row)) for row in rows], Sampling(max_new_tokens=4))
    )
    assert sum(answers[at] == row.output for at, row in enumerate(rows)) >= 0.8 * len(rows), answers
