"""The capture of a teacher: what it holds, resuming after a kill, what it is bound to; and students that learn from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Cancelled, StudioError
from backend.core.paths import ROOT
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import Row, Template, write_split, write_template
from backend.jobs.context import JobSpec, MemoryContext
from backend.models import costs
from backend.planning import recipes
from backend.stages import capture, distill
from tests.helpers import blocking, dataset_view, model_view, tiny_dataset, view
from tests.stages.fake_world import FakeWorld
from tests.stages.test_finetune import SMOL, made, smol_world

FAST = {"learning_rate": 0.01, "batch_size": 8, "train_embeddings": "always", "evaluate_rows": 0}


@pytest.fixture
def inputs(tiny_model: Path, tmp_path: Path) -> list[ArtifactView]:
    return [model_view(tiny_model), dataset_view(tiny_dataset(tmp_path / "data"))]


def take(folder: Path, inputs: list[ArtifactView], **params: Any) -> tuple[ArtifactView, Any]:
    """The capture of a teacher (first input) on data (second), and the stage's metrics."""
    ctx = MemoryContext(folder, inputs)
    given = {"teacher": inputs[0].id, "data": inputs[1].id, "shard_rows": 8, **params}
    result = capture.STAGE.run(capture.STAGE.parse(given), ctx)
    path, manifest = made(ctx)
    return view(path, Kind.CAPTURE, result.artifact, manifest["parents"], **manifest["facts"]), result.metrics


def learn(folder: Path, inputs: list[ArtifactView], student: ArtifactView, **params: Any) -> MemoryContext:
    """A student learns on data (second input), with a capture if `params` name one."""
    ctx = MemoryContext(folder, [*inputs, student])
    given = {"student": student.id, "data": inputs[1].id, **FAST, **params}
    distill.STAGE.run(distill.STAGE.parse(given), ctx)
    return ctx


def shards(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("shard-*"))}


def assert_same(one: Path, other: Path, files: int) -> None:
    """The same rows in the same shards with the same figures, up to the order in which threads add them up."""
    import numpy as np

    from backend.ml.distillation.shards import read_shard

    assert [*shards(one)] == [*shards(other)] and len(shards(one)) == files
    for name in shards(one):
        left, right = read_shard(one / name), read_shard(other / name)
        for key in ("marks", "lengths"):
            assert (left[key] == right[key]).all()
        np.testing.assert_allclose(left["log_norm"], right["log_norm"], atol=1e-4)
        assert len(left["ids"]) == left["lengths"].sum()


def taught(folder: Path, inputs: list[ArtifactView]) -> ArtifactView:
    """A teacher that was trained on the data, as a model."""
    path, manifest = made(learn(folder, inputs, inputs[0], epochs=16))
    return view(path, Kind.MODEL, "model-teacher", **manifest["facts"])


def logged(ctx: MemoryContext) -> str:
    return "\n".join(event["text"] for event in ctx.events if event["event"] == "log")


# what a capture holds


@pytest.mark.ml
def test_it_holds_the_teachers_probabilities_of_every_answer_token(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    """Against a pass of the whole model over each row: order, end of turn, label, tail and loss."""
    import torch

    from backend.data.chat_template import Encoder
    from backend.data.dataset import DataFolder
    from backend.data.encoding import encode_rows
    from backend.ml.distillation.offline import LoadedCapture, id_maps, match_rows
    from backend.ml.inference.load import load_model

    held, metrics = take(tmp_path / "c", inputs, bytes_per_token=300, batch_size=5)
    assert metrics["k"] == held.facts["k"] > 50 and held.facts["value_bits"] == 16
    words = Encoder(inputs[0].path).vocabulary()
    to_student, to_teacher = id_maps(words, words, 1024, 1024)
    packed = LoadedCapture(held.path, [1.0, 2.0], 2.0, to_student)
    data = DataFolder(inputs[1].path)
    examples = encode_rows(Encoder(inputs[0].path), data.template, data.rows("train"), 512)
    assert match_rows(examples, packed.rows, to_teacher) == len(examples.items) == held.facts["sequences"] == 30
    model = load_model(inputs[0], None)  # type: ignore[arg-type]
    losses = []
    for item in examples.items:
        ids, start = item["input_ids"], item["labels"].count(-100)
        with torch.inference_mode():
            logits = model(torch.tensor([ids])).logits[0, start - 1 : -1]
        whole = (logits / 2).log_softmax(dim=1)
        target = packed.target([item["row"]])  # type: ignore[list-item]
        assert len(target.ids) == len(ids) - start and ids[-1] == 2
        torch.testing.assert_close(target.log_p, whole.gather(1, target.ids), atol=2e-3, rtol=0)
        tail = 1 - whole.gather(1, target.ids).exp().sum(dim=1)
        torch.testing.assert_close(target.log_tail.exp(), tail, atol=2e-3, rtol=0)
        answer = torch.tensor(ids[start:])
        assert (target.ids == answer[:, None]).any(dim=1).all()
        losses += torch.nn.functional.cross_entropy(logits, answer, reduction="none").tolist()
    assert metrics["tokens"] == len(losses)
    assert metrics["teacher_loss"] == pytest.approx(sum(losses) / len(losses), abs=1e-4)


@pytest.mark.ml
def test_manifest_names_what_it_is_bound_to(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    held, metrics = take(tmp_path / "c", inputs, shard_rows=100)
    assert held.parents == sorted(each.id for each in inputs)
    assert held.facts["hashes"]["teacher"] == [inputs[0].digest] and len(held.facts["hashes"]["tokenizer"]) == 64
    listed = json.loads((held.path / "capture.json").read_text())
    assert listed == {name: len(content) for name, content in shards(held.path).items()}
    assert metrics["bytes_per_token"] < 114 + 15  # one header for 60 tokens
    assert metrics["tokens_per_s"] > 0 and 0 < metrics["mean_tail"] < 1


@pytest.mark.ml
def test_equal_rows_are_read_once(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    rows = [Row(id=str(n), input="red item", output="red") for n in range(9)]
    write_split(inputs[1].path, "train", [*rows, Row(id="10", input="red item", output="blue")])
    held, _ = take(tmp_path / "c", inputs)
    assert held.facts["sequences"] == 2


# resuming


@pytest.mark.ml
def test_a_stopped_capture_goes_on_and_ends_like_an_unbroken_one(
    tmp_path: Path, inputs: list[ArtifactView], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, expected = take(tmp_path / "whole", inputs)
    ctx = MemoryContext(tmp_path / "broken", inputs)
    params = capture.STAGE.parse({"teacher": inputs[0].id, "data": inputs[1].id, "shard_rows": 8})
    monkeypatch.setattr(ctx, "progress", lambda done, *_: setattr(ctx, "stop", done > 300))
    with pytest.raises(Cancelled):
        capture.STAGE.run(params, ctx)
    monkeypatch.undo()
    kept = ctx.dir / "shards"
    first = shards(kept)
    assert 1 <= len(first) < 4 and not (kept / "capture.json").exists()
    (kept / "shard-00003.safetensors").write_bytes(b"half a shard")
    ctx.stop = False
    metrics = capture.STAGE.run(params, ctx).metrics
    path, manifest = made(ctx)
    assert_same(path, whole.path, 4)
    assert first.items() <= shards(path).items()
    for name in ("tokens", "mean_tail", "teacher_loss"):
        assert metrics[name] == pytest.approx(expected[name], rel=1e-4)
    assert manifest["facts"]["hashes"] == whole.facts["hashes"]


@pytest.mark.ml
@pytest.mark.proc
def test_kill_in_the_middle_loses_and_doubles_no_shard(tiny_model: Path, tmp_path: Path) -> None:
    """kill -9 of the real child process; the second attempt works in the same folder."""
    inputs = [model_view(tiny_model), dataset_view(tiny_dataset(tmp_path / "data", 1600))]
    params = {"teacher": inputs[0].id, "data": inputs[1].id, "shard_rows": 4, "batch_size": 4}
    ctx = MemoryContext(tmp_path / "killed", inputs)
    order = JobSpec(
        job_id="j1",
        stage="capture",
        params=params,
        seed=0,
        dir=ctx.dir,
        artifacts=ctx.order.artifacts,
        cache=ctx.cache,
        project="p",
        inputs={each.id: each for each in inputs},
        names={each.id: each.id for each in inputs},
    )
    argv = [sys.executable, "-m", "backend.jobs.child", str(os.getpid())]
    child = subprocess.Popen(
        argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert child.stdin
    child.stdin.write(order.model_dump_json().encode() + b"\n{}\n")  # the order, then the keys: none
    child.stdin.flush()
    try:
        until = time.monotonic() + 200
        while len(shards(ctx.dir / "shards")) < 5 and child.poll() is None and time.monotonic() < until:
            child.stdin.write(b".")  # the worker's lease
            child.stdin.flush()
            time.sleep(0.02)
    finally:
        child.kill()
        child.wait()
    kept = shards(ctx.dir / "shards")
    assert 5 <= len(kept) < 200
    capture.STAGE.run(capture.STAGE.parse(params), ctx)
    path, manifest = made(ctx)
    whole, _ = take(tmp_path / "whole", inputs, **params)
    assert_same(path, whole.path, 200)
    assert kept.items() <= shards(path).items()
    assert manifest["facts"]["tokens"] == whole.facts["tokens"] == 1600


# a student learns


@pytest.mark.ml
def test_a_student_learns_its_teachers_answers_and_to_stop(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    """By the teacher's probabilities alone; end of turn is the padding token."""
    from backend.inference.protocol import Sampling
    from backend.ml.inference.torch_engine import TorchEngine

    rows = [Row(id=str(n), input=f"red item {n}", output="red") for n in range(24)]
    write_split(inputs[1].path, "train", rows)
    teacher = taught(tmp_path / "t", inputs)
    held, _ = take(tmp_path / "c", [teacher, inputs[1]])
    assert held.facts["teacher_loss"] < 0.5
    given = {"capture": held.id, "kl_weight": 1.0, "temperature": 2.0, "divergence": "jsd", "epochs": 16}
    ctx = learn(tmp_path / "s", [teacher, inputs[1], held], inputs[0], **given)
    losses = [e["value"] for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    assert losses[-1] < losses[0] / 4 and "24 of 24 rows" in logged(ctx)
    path, manifest = made(ctx)
    assert held.id in manifest["parents"]
    engine = TorchEngine(view(path, Kind.MODEL, "s", **manifest["facts"]), ctx.input)
    prompt = engine.encoder.prompt_ids(Template(**manifest["facts"]["template"]), rows[3])
    ids = list(engine.stream_ids(prompt, Sampling(max_new_tokens=8)))
    assert engine.encoder.text(ids) == "red" and len(ids) < 8


@pytest.mark.ml
def test_without_weight_it_is_the_sequence_route(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    held, _ = take(tmp_path / "c", inputs)
    plain = learn(tmp_path / "p", inputs, inputs[0], max_steps=3)
    mixed = learn(tmp_path / "m", [*inputs, held], inputs[0], max_steps=3, capture=held.id, kl_weight=0.0)
    one, other = ([e["value"] for e in ctx.events if e.get("name") == "loss"] for ctx in (plain, mixed))
    assert one == pytest.approx(other, rel=1e-4)


@pytest.mark.ml
def test_a_resumed_student_ends_like_an_unbroken_one(
    tmp_path: Path, inputs: list[ArtifactView], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from safetensors.torch import load_file

    from backend.ml.training import trainer
    from backend.ml.training.progress import ProgressCallback

    held, _ = take(tmp_path / "c", [taught(tmp_path / "t", inputs), inputs[1]])
    teacher = view(made_of(tmp_path / "t"), Kind.MODEL, "model-teacher")
    everything = [teacher, inputs[1], held]
    given = {"capture": held.id, "kl_weight": 0.7, "epochs": 3}

    monkeypatch.setattr(trainer, "ProgressCallback", lambda ctx, _seconds: ProgressCallback(ctx, 0))
    whole = made(learn(tmp_path / "whole", everything, inputs[0], **given))[0]
    ctx = MemoryContext(tmp_path / "broken", [*everything, inputs[0]])
    progress = ctx.progress
    params = distill.STAGE.parse({"student": inputs[0].id, "data": inputs[1].id, **FAST, **given})

    def stop_late(done: float, total: float, note: str = "") -> None:
        progress(done, total, note)
        ctx.stop = done >= 6

    monkeypatch.setattr(ctx, "progress", stop_late)
    with pytest.raises(Cancelled):
        distill.STAGE.run(params, ctx)
    ctx.stop = False
    monkeypatch.setattr(ctx, "progress", progress)
    distill.STAGE.run(params, ctx)
    assert "Resuming from step" in logged(ctx)
    one, other = (load_file(path / "model.safetensors") for path in (whole, made(ctx)[0]))
    for name, weight in one.items():
        torch.testing.assert_close(other[name], weight, atol=1e-5, rtol=1e-4)


def made_of(folder: Path) -> Path:
    return next((folder / "artifacts" / "model").iterdir())


# a student with a part of the vocabulary


def trimmed(folder: Path, source: Path, drop: set[str]) -> Path:
    """The model `source` without the tokens `drop` and the merges that need them; the other ids move together."""
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(source, folder)
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    old: dict[str, int] = content["model"]["vocab"]
    kept = [token for token in sorted(old, key=old.__getitem__) if token not in drop]
    new = {token: at for at, token in enumerate(kept)}
    content["model"]["vocab"] = new
    merges = [m if isinstance(m, list) else m.split(" ") for m in content["model"]["merges"]]
    content["model"]["merges"] = [m for m in merges if {m[0], m[1], m[0] + m[1]} <= new.keys()]
    for token in content["added_tokens"]:
        token["id"] = new[token["content"]]
    (folder / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    weights = load_file(folder / "model.safetensors")
    rows = torch.tensor([old[token] for token in kept])
    weights["model.embed_tokens.weight"] = weights["model.embed_tokens.weight"][rows].clone()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, "vocab_size": len(kept)}), "utf-8")
    return folder


def unused(model: Path, data: Path, also: tuple[str, ...] = ()) -> set[str]:
    """Tokens of two characters and more that no row needs, on any way to its tokens; and `also`."""
    from backend.data.chat_template import Encoder
    from backend.data.dataset import DataFolder
    from backend.data.encoding import encode_rows

    encoder, folder = Encoder(model), DataFolder(data)
    rows = [*folder.rows("train"), *folder.rows("validation"), *folder.rows("test")]
    used = {at for item in encode_rows(encoder, folder.template, rows, 512).items for at in item["input_ids"]}
    words = {token for token, at in encoder.vocabulary().items() if at in used}
    return {
        token
        for token in encoder.vocabulary()
        if len(token) > 1 and not token.startswith("<|") and (token in also or not any(token in word for word in words))
    }


@pytest.mark.ml
def test_a_student_with_fewer_tokens_learns_too(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    teacher = taught(tmp_path / "t", inputs)
    held, _ = take(tmp_path / "c", [teacher, inputs[1]])
    drop = unused(inputs[0].path, inputs[1].path)
    student = model_view(trimmed(tmp_path / "small", inputs[0].path, drop), "model-small")
    assert len(drop) > 5 and student.facts["vocabulary"] < teacher.facts["vocabulary"]
    given = {"capture": held.id, "kl_weight": 1.0, "epochs": 12}
    ctx = learn(tmp_path / "s", [teacher, inputs[1], held], student, **given)
    assert "30 of 30 rows" in logged(ctx)
    losses = [e["value"] for e in ctx.events if e["event"] == "metric" and e["name"] == "loss"]
    assert losses[-1] < losses[0] / 4


@pytest.mark.ml
def test_rows_with_other_tokens_learn_from_their_answer_and_are_counted(
    tmp_path: Path, inputs: list[ArtifactView]
) -> None:
    """One row of thirty has a word that the student spells otherwise."""
    rows = [Row(id=str(n), input=f"red item {n}", output="red") for n in range(29)]
    write_split(inputs[1].path, "train", [*rows, Row(id="30", input="red thing", output="red")])
    held, _ = take(tmp_path / "c", inputs)
    drop = unused(inputs[0].path, inputs[1].path, also=("Ġthing", "thing"))
    student = model_view(trimmed(tmp_path / "small", inputs[0].path, drop), "model-small")
    ctx = learn(tmp_path / "s", [*inputs, held], student, capture=held.id, max_steps=4)
    assert "29 of 30 rows" in logged(ctx)


@pytest.mark.ml
def test_a_tokenizer_that_does_not_fit_is_refused(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    held, _ = take(tmp_path / "c", inputs)
    drop = unused(inputs[0].path, inputs[1].path, also=("item", "Ġitem"))
    student = model_view(trimmed(tmp_path / "small", inputs[0].path, drop), "model-small")
    with pytest.raises(StudioError, match="Only 0 of 30 rows tokenize identically"):
        learn(tmp_path / "s", [*inputs, held], student, capture=held.id)


@pytest.mark.ml
def test_maps_of_ids() -> None:
    from backend.ml.distillation.offline import id_maps

    same = {"a": 0, "b": 1}
    to_student, to_teacher = id_maps(same, same, 5, 4)
    assert to_student.tolist() == [0, 1, 2, 3, -1] and to_teacher.tolist() == [0, 1, 2, 3]
    to_student, to_teacher = id_maps({"a": 0, "b": 1, "c": 2}, {"c": 0, "x": 1, "a": 2}, 4, 4)
    assert to_student.tolist() == [2, -1, 0, -1] and to_teacher.tolist() == [2, -1, 0, -1]


# what is refused


@pytest.mark.ml
def test_other_data_template_teacher_or_damage_is_refused(tmp_path: Path, inputs: list[ArtifactView]) -> None:
    held, _ = take(tmp_path / "c", inputs)
    params = distill.STAGE.parse({"student": inputs[0].id, "data": inputs[1].id, "capture": held.id, **FAST})

    def refused(*views: ArtifactView) -> tuple[list[str], str]:
        """Codes of the check beforehand, and the code at the start of a run that goes on all the same."""
        problems = blocking(distill.STAGE.check(params, FakeWorld(*views)))
        with pytest.raises(StudioError) as error:
            distill.STAGE.run(params, MemoryContext(tmp_path / "s", list(views)))
        return [problem.code for problem in problems], error.value.code

    assert blocking(distill.STAGE.check(params, FakeWorld(*inputs, held))) == []
    again = inputs[0].model_copy(update={"digest": "another"})
    with pytest.raises(StudioError, match="has changed since"):
        distill.STAGE.run(params, MemoryContext(tmp_path / "s", [again, inputs[1], held]))
    other = shutil.copytree(inputs[0].path, tmp_path / "other")
    (other / "chat_template.jinja").write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    code = "capture.chat_template"
    student = view(other, Kind.MODEL, "model-other", **inputs[0].facts)
    params = params.model_copy(update={"student": student.id})
    assert refused(*inputs, held, student) == ([code], code)
    params = params.model_copy(update={"student": inputs[0].id})
    shard = held.path / "shard-00002.safetensors"
    content = shard.read_bytes()
    shard.write_bytes(content[:-1])
    assert refused(*inputs, held) == (["capture.truncated"], "core.artifact_damaged")
    shard.write_bytes(content[:-1] + b"x")
    assert refused(*inputs, held)[1] == "core.artifact_damaged"
    shard.write_bytes(content)
    write_template(inputs[1].path, Template(system="Say the colour.", answer="label", labels=["red", "green", "blue"]))
    assert refused(*inputs, held) == (["capture.template"], "capture.template")
    tiny_dataset(inputs[1].path, 40)
    assert refused(*inputs, held) == (["capture.data"], "capture.data")


def test_checks_beforehand() -> None:
    world = smol_world(rows={"train": 0})
    problems = capture.STAGE.check(capture.CaptureParams(teacher="m", data="d", max_length=9000), world)
    assert [problem.code for problem in problems] == ["train.no_rows", "train.context"]
    problems = capture.STAGE.check(capture.CaptureParams(teacher="m", data="d", temperatures=[1, 0]), smol_world())
    assert [problem.code for problem in problems] == ["capture.temperatures"]
    assert capture.STAGE.check(capture.CaptureParams(teacher="m", data="d"), smol_world()) == []


def forecast_world(**facts: Any) -> FakeWorld:
    rows = {"rows": {"train": 400, "validation": 100}, "prompt_chars": 51, "answer_chars": 16}
    world = FakeWorld().add("m", Kind.MODEL, **SMOL).add("${answers}", Kind.DATASET, **rows)
    quote = capture.STAGE.quote(capture.CaptureParams(teacher="m", data="${answers}"), world)
    return world.add("${c}", Kind.CAPTURE, **{**quote.forecast, **facts})


def test_a_student_is_checked_against_the_forecast_of_its_capture() -> None:
    params = {"student": "m", "data": "${answers}", "capture": "${c}"}
    assert distill.STAGE.check(distill.DistillParams(**params), forecast_world()) == []
    problems = distill.STAGE.check(distill.DistillParams(**params, temperature=3), forecast_world())
    assert [(problem.code, problem.field) for problem in problems] == [("capture.temperature", "temperature")]
    assert "1, 2" in problems[0].text()
    problems = distill.STAGE.check(distill.DistillParams(**params), forecast_world(data="${other}"))
    assert [problem.code for problem in problems] == ["capture.data"]
    for source, data in (("d", "${answers}"), ("${answers}", "d")):
        world = forecast_world(data=source)
        world.known["d"] = replace(world.known["${answers}"], pending=False)
        problems = distill.STAGE.check(distill.DistillParams(**{**params, "data": data}), world)
        assert [(problem.code, problem.field) for problem in problems] == [("capture.data", "capture")]
    wrong = {**params, "capture": "m"}
    assert distill.STAGE.check(distill.DistillParams(**wrong), forecast_world())[0].code == "core.artifact_kind"


def test_a_capture_to_come_is_compared_with_the_student_s_rows_when_both_are_there(tmp_path: Path) -> None:
    views = [dataset_view(tiny_dataset(tmp_path / name), name) for name in ("made-from", "same", "other")]
    write_split(views[2].path, "train", [Row(id="1", input="red item", output="red")])
    world = FakeWorld(*views).add("m", Kind.MODEL, **SMOL)
    forecast = capture.STAGE.quote(capture.CaptureParams(teacher="m", data="made-from"), world).forecast
    world.add("${c}", Kind.CAPTURE, **forecast)

    def codes(data: str) -> list[str]:
        params = distill.DistillParams(student="m", data=data, capture="${c}")
        return [problem.code for problem in distill.STAGE.check(params, world)]

    assert codes("made-from") == codes("same") == [] and codes("other") == ["capture.data"]
    write_template(views[1].path, Template(system="Say the colour."))
    assert codes("same") == ["capture.template"]


def test_quotes_follow_the_work_and_the_budget() -> None:
    world = smol_world()
    params = capture.CaptureParams(teacher="m", data="d")
    once = capture.STAGE.quote(params, world)
    tokens = 400 * costs.answer_tokens({"answer_chars": 16})
    assert once.disk_bytes / tokens == pytest.approx(114, rel=0.03)
    assert once.forecast["k"] == 32 and once.forecast["value_bits"] == 8
    more = capture.STAGE.quote(params.model_copy(update={"bytes_per_token": 300}), world)
    assert more.disk_bytes / tokens == pytest.approx(300, rel=0.03) and more.forecast["value_bits"] == 16
    small = capture.STAGE.quote(params.model_copy(update={"shard_rows": 100}), world)
    held = 24 * 32 * costs.answer_tokens({"answer_chars": 16})
    assert once.memory_bytes - small.memory_bytes == pytest.approx(300 * held, abs=2)
    assert once.memory_bytes - costs.capture_peak_bytes(SMOL) == pytest.approx(400 * held, abs=2)
    everything = capture.STAGE.quote(params.model_copy(update={"keep_all": True}), world)
    assert everything.disk_bytes > tokens * 49_152 * 6
    given = {"student": "m", "data": "${answers}"}
    plain = distill.STAGE.quote(distill.DistillParams(**given), forecast_world())
    with_it = distill.STAGE.quote(distill.DistillParams(**given, capture="${c}"), forecast_world())
    assert plain.seconds < with_it.seconds < 1.3 * plain.seconds
    assert plain.memory_bytes < with_it.memory_bytes


def test_a_recipe_with_both_routes_validates() -> None:
    recipe = recipes.build(
        {
            "name": "routes",
            "stages": [
                {"id": "data", "stage": "dataset", "params": {"source": "demo:smart-home"}},
                {"id": "teacher", "stage": "finetune", "params": {"data": "${data}"}},
                {"id": "answers", "stage": "teacher", "params": {"model": "${teacher}", "data": "${data}"}},
                {"id": "held", "stage": "capture", "params": {"teacher": "${teacher}", "data": "${answers}"}},
                {
                    "id": "student",
                    "stage": "distill",
                    "params": {"student": "${teacher}", "data": "${answers}", "capture": "${held}", "temperature": 2},
                },
            ],
        }
    )
    assert [step.id for step in recipe.ordered()] == ["data", "teacher", "answers", "held", "student"]
