"""Rows that are longer than a model's context: left out, counted and named, alike in torch and ONNX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data.dataset import DataFolder, Row, write_split, write_template
from backend.inference.long_rows import MAX_NAMED, told
from backend.inference.protocol import Sampling
from backend.jobs.context import MemoryContext
from backend.ml.inference.open import open_engine
from backend.stages import audition, evaluate, judge, parity, teacher
from tests.helpers import dataset_view, tiny_dataset
from tests.onnx_models import Converted, converted
from tests.stages.fake_world import log_of

pytestmark = pytest.mark.ml
LONG = "red " * 600
BOTH = pytest.mark.parametrize("kind", ["torch", "onnx"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return converted(tmp_path_factory)


def dataset(folder: Path, good: int = 3) -> Path:
    """Short rows, and one that is too long, in every split."""
    tiny_dataset(folder)
    rows = [Row(id=f"short-{n}", input=f"green item {n}", output="green") for n in range(good)]
    rows.insert(1, Row(id="long-1", input=LONG, output="red"))
    for split in ("train", "validation", "test"):
        write_split(folder, split, rows)
    write_split(folder, "pool", [row.model_copy(update={"output": None}) for row in rows])
    return folder


def job_of(tmp_path: Path, made: Converted, kind: str, **rows: int) -> tuple[MemoryContext, str]:
    model = getattr(made, kind)
    return MemoryContext(
        tmp_path / "job", [dataset_view(dataset(tmp_path / "data", **rows)), model, made.torch]
    ), model.id


def warned(job: MemoryContext) -> str:
    (line,) = [line for line in log_of(job) if "longer than the context" in line]
    return line


@BOTH
@pytest.mark.parametrize("answer", ["label", "text"])
def test_an_evaluation_leaves_them_out_and_ends_with_a_finding(
    tmp_path: Path, made: Converted, kind: str, answer: str
) -> None:
    job, model = job_of(tmp_path, made, kind)
    folder = tmp_path / "data"
    if answer == "text":
        write_template(folder, DataFolder(folder).template.model_copy(update={"answer": "text", "labels": []}))
    params: dict[str, Any] = {"data": "dataset-d1", "model": model, "cost_prompts": 1, "max_new_tokens": 4}
    params |= {"max_invalid": 1.0, "max_cut_off": 1.0}
    result = evaluate.run(evaluate.EvaluateParams(**params), job)
    assert (result.metrics["n"], result.metrics["too_long"]) == (3, 0.25)
    assert [found.code for found in result.findings] == ["good.too_long"]
    assert "1 of 4 rows are longer than the context of 512 tokens: long-1." in warned(job)
    answers = next((tmp_path / "job").rglob("answers.jsonl")).read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in answers] == ["short-0", "short-1", "short-2"]
    assert evaluate.run(evaluate.EvaluateParams(**params, max_too_long=0.3), job).findings == []


@BOTH
def test_when_no_row_is_left_the_evaluation_says_so(tmp_path: Path, made: Converted, kind: str) -> None:
    job, model = job_of(tmp_path, made, kind, good=0)
    with pytest.raises(StudioError) as caught:
        evaluate.run(evaluate.EvaluateParams(data="dataset-d1", model=model), job)
    assert caught.value.code == "good.all_too_long" and "512" in caught.value.text()


@BOTH
def test_a_teacher_a_judge_and_an_audition_name_them(tmp_path: Path, made: Converted, kind: str) -> None:
    job, model = job_of(tmp_path, made, kind)
    asked: dict[str, Any] = {"data": "dataset-d1", "model": model, "max_new_tokens": 4}
    result = teacher.run(teacher.TeacherParams(**asked, keep_labels_only=False, drop_refusals=False), job)
    assert result.metrics["dropped_too_long"] == 1 and [found.code for found in result.findings]
    assert any("long-1" in line and "the context has 512" in line for line in log_of(job))
    again = teacher.run(teacher.TeacherParams(**asked, keep_labels_only=False, drop_refusals=False), job)
    assert again.metrics["dropped_too_long"] == 1  # an answer that never was is not kept
    candidates = audition.AuditionParams(data="dataset-d1", models=[model], rows=4, max_new_tokens=4)
    audition.run(candidates, job)
    with pytest.raises(StudioError) as caught:  # a random model says no scores, but the long row did not end it
        judge.run(judge.JudgeParams(**asked), job)
    assert caught.value.code == "synth.judge_useless"


def test_the_check_of_an_export_names_them_and_reads_their_ends(tmp_path: Path, made: Converted) -> None:
    job, model = job_of(tmp_path, made, "onnx", good=4)
    parity.run(parity.ParityParams(model=model, data="dataset-d1", rows=4), job)
    assert "long-1" in warned(job) and "beginnings are left out" in warned(job)


@BOTH
def test_an_answer_ends_where_the_context_does(made: Converted, kind: str) -> None:
    engine = open_engine(getattr(made, kind), lambda ref: made.torch)
    engine.stops = frozenset()
    prompt = [5 + at % 40 for at in range(engine.context - 3)]
    asked = [prompt, prompt[:40]]
    found = {at: (text, cut) for at, text, _sure, cut in engine.rated_answers(asked, Sampling(max_new_tokens=10))}
    assert len(list(engine.stream_ids(prompt, Sampling(max_new_tokens=10)))) == 3
    assert all(cut for _text, cut in found.values())
    with pytest.raises(StudioError) as caught:
        engine.answer([*prompt, 5, 5, 5], Sampling())
    assert caught.value.code == "serve.prompt_long"


def test_a_log_names_the_first_of_them() -> None:
    said = told([str(at) for at in range(MAX_NAMED + 5)], 100, 512)
    assert said.startswith("25 of 100") and said.endswith(" and 5 more.")
