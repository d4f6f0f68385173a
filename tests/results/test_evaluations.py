"""Measurements side by side: what compares, the Pareto front, gains, lineage, single answers, the report."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import Kind
from backend.results import report as doc
from backend.results.answers import Answers, Confusion, PairedCounts, confusion, table_csv
from backend.results.evaluations import (
    EvaluationView,
    benchmarks,
    measured_qualities,
    metric_ratio,
    pareto_front,
    pareto_indices,
    recommended,
    reference,
)
from tests.studio.builder import StudioBuilder


@pytest.fixture
def builder(home: Path) -> StudioBuilder:
    return StudioBuilder(home)


def chain(builder: StudioBuilder) -> dict[str, EvaluationView]:
    """A teacher (adapter), its student, and that in INT4, all measured on the teacher's dataset; by model name."""
    data = builder.dataset()
    base = builder.model("base", facts={"precision": "fp32"})
    teacher = builder.model(
        "teacher", Kind.ADAPTER, facts={"base": base.id, "data": data.id}, parents=[base.id, data.id]
    )
    answers = builder.artifact(
        Kind.DATASET, "answers", {**data.facts, "teacher": "teacher"}, parents=[data.id, teacher.id]
    )
    student = builder.model("student", facts={"layers": 6, "data": answers.id}, parents=[teacher.id, answers.id])
    small = builder.model("small", Kind.ONNX, facts={"data": answers.id}, parents=[student.id])
    builder.evaluation(teacher, data, 0.95, latency_ms_p50=200.0, size_bytes=540e6)
    builder.evaluation(student, data, 0.95, latency_ms_p50=50.0, size_bytes=200e6)
    builder.evaluation(small, data, 0.90, latency_ms_p50=20.0, size_bytes=50e6)
    return {one.model_name: one for one in builder.studio.evaluations()}


def test_only_the_newest_of_a_model_on_the_same_rows_counts(builder: StudioBuilder) -> None:
    data, other, model = builder.dataset(), builder.dataset("other", rows=60), builder.model()
    facts = {"model_name": model.name, "model": model.id, "split": "test", "n": 20.0, "size_bytes": 9.0}
    for at, share in enumerate((0.5, 0.9)):
        builder.artifact(Kind.EVALUATION, f"e{at}", {**facts, "data": data.id, "accuracy": share}, parents=[data.id])
    builder.artifact(Kind.EVALUATION, "fewer", {**facts, "data": data.id, "n": 5.0, "accuracy": 1.0}, parents=[data.id])
    builder.artifact(Kind.EVALUATION, "else", {**facts, "data": other.id, "accuracy": 0.1}, parents=[other.id])
    found = builder.studio.evaluations()
    assert [one.metrics["accuracy"] for one in found if one.n == 20 and one.data == data.id] == [0.9]
    assert len(benchmarks(found)) == 3
    assert builder.studio.evaluations(project="nobody's") == []


def test_constrained_answers_are_another_evaluation(builder: StudioBuilder) -> None:
    data, model = builder.dataset(), builder.model()
    facts = {"model_name": model.name, "model": model.id, "split": "test", "n": 20.0, "data": data.id}
    builder.artifact(Kind.EVALUATION, "free", {**facts, "accuracy": 0.5}, parents=[data.id])
    builder.artifact(Kind.EVALUATION, "held", {**facts, "accuracy": 0.9, "constrained": "labels"}, parents=[data.id])
    assert {one.constrained: one.metrics["accuracy"] for one in builder.studio.evaluations()} == {
        "": 0.5,
        "labels": 0.9,
    }


def test_evaluations_that_lack_figures_compare_with_nothing(builder: StudioBuilder) -> None:
    data, facts = builder.dataset(), {"model_name": "x", "split": "test", "n": 20.0}
    builder.artifact(Kind.EVALUATION, "no cost", {**facts, "data": data.id, "accuracy": 0.5})
    builder.artifact(Kind.EVALUATION, "no quality", {**facts, "model_name": "y", "data": data.id, "size_bytes": 9.0})
    builder.artifact(Kind.EVALUATION, "of another version", {"accuracy": 0.5})
    assert len(builder.studio.evaluations()) == 2
    assert benchmarks(builder.studio.evaluations()) == {}


def test_equal_bytes_of_two_datasets_are_one_benchmark(builder: StudioBuilder) -> None:
    first, again = builder.dataset("first"), builder.dataset("again")
    builder.evaluation(builder.model("a"), first, 0.8)
    builder.evaluation(builder.model("b"), again, 0.9)
    assert [len(group) for group in benchmarks(builder.studio.evaluations()).values()] == [2]


@pytest.mark.parametrize(
    ("points", "x", "y", "best"),
    [
        ([(1, 0.5), (2, 0.4), (3, 0.9)], "latency_ms_p50", "accuracy", [0, 2]),
        ([(1, 0.5), (2, 0.4), (3, 0.9)], "decode_tokens_per_s", "accuracy", [2]),
        ([(1, 9.0), (2, 4.0), (3, 6.0)], "latency_ms_p50", "perplexity", [0, 1]),
        ([(1, 0.5), (1, 0.5)], "size_bytes", "accuracy", [0]),
        ([], "size_bytes", "accuracy", []),
    ],
)
def test_pareto_knows_where_better_is(points: list[tuple[float, float]], x: str, y: str, best: list[int]) -> None:
    assert pareto_indices(points, x, y) == best


def test_chain_names_teacher_gains_and_making(builder: StudioBuilder) -> None:
    models = chain(builder)
    group = list(models.values())
    against = reference(group)
    assert against.model_name == "teacher"
    assert against.student_count == 2
    picked = recommended(group, against, "accuracy")
    assert picked.model_name == "student", "the fastest loses more than 5% of the quality"
    assert metric_ratio(picked, against, "latency_ms_p50") == pytest.approx(0.25)
    assert metric_ratio(models["small"], against, "accuracy") == pytest.approx(0.90 / 0.95)
    assert [(origin.how, origin.name) for origin in models["small"].origins] == [
        ("imported", "base"),
        ("lora", "teacher"),
        ("distilled", "student"),
        ("quantized", "small"),
    ]
    assert models["small"].origins[2].teacher == "teacher"
    assert models["small"].origins[2].detail == "6/30"
    assert [one.model_name for one in pareto_front(group, "latency_ms_p50", "accuracy")] == ["small", "student"]
    assert measured_qualities(group) == ["accuracy", "macro_f1"]
    texts = [one.model_copy(update={"metrics": {"exact_match": 0.1, "token_f1": 0.8, "rouge_l": 0.7}}) for one in group]
    assert measured_qualities(texts) == ["token_f1", "exact_match", "rouge_l"], (
        "answers in words are known by F1 of words"
    )
    newer = texts[0].model_copy(update={"metrics": {**texts[0].metrics, "field_f1": 0.5, "json_valid": 1.0}})
    assert measured_qualities([newer]) == ["field_f1", "json_valid", "exact_match", "token_f1", "rouge_l"]
    assert measured_qualities([newer, *texts[1:]])[0] == "token_f1", "which all of them have"


def test_lower_perplexity_is_a_gain(builder: StudioBuilder) -> None:
    one = next(iter(chain(builder).values()))
    worse = one.model_copy(update={"metrics": {"perplexity": 6.0}})
    better = one.model_copy(update={"metrics": {"perplexity": 3.0}})
    assert metric_ratio(better, worse, "perplexity") == 2.0
    assert metric_ratio(better, worse, "accuracy") is None


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"), [(0, 0, 1.0), (5, 5, 1.0), (1, 9, 0.021484375), (0, 10, 0.001953125)]
)
def test_mcnemar_is_the_exact_binomial_test(only_first: int, only_second: int, p: float) -> None:
    """Values of `scipy.stats.binomtest(first, first + second).pvalue`."""
    assert PairedCounts(both=3, only_first=only_first, only_second=only_second, neither=1).p == pytest.approx(p)


def test_mcnemar_survives_many_rows() -> None:
    assert 0 < PairedCounts(both=0, only_first=4000, only_second=4300, neither=0).p < 0.01


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two models on rows a to d; the second lacks d."""
    answers = {
        "one": [("a", "X"), ("b", "no"), ("c", "X "), ("d", "X")],
        "two": [("c", "no"), ("a", "X"), ("b", "other")],
    }
    for name, lines in answers.items():
        (tmp_path / name).mkdir()
        rows = [
            {
                "id": id_,
                "input": f"Ask {id_} ¿ñ? مرحبا",
                "expected": "X",
                "answer": answer,
                "correct": answer.strip() == "X",
            }
            for id_, answer in lines
        ]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (tmp_path / name / "answers.jsonl").write_text(text, "utf-8")
    return tmp_path / "one", tmp_path / "two"


def test_two_models_row_by_row(pair: tuple[Path, Path]) -> None:
    answers = Answers(*pair)
    assert answers.paired() == PairedCounts(both=1, only_first=1, only_second=0, neither=1)
    assert answers.rows() == ["a", "b", "c"], "only rows that both have"
    assert answers.rows("differ") == ["b", "c"]
    assert answers.rows("first_wrong") == ["b"]
    assert answers.rows("second_wrong") == ["b", "c"]
    assert answers.rows(search="ASK B ¿Ñ?") == ["b"]
    assert answers.rows("differ", "other") == ["b"]
    row = answers.page(answers.rows(), 2, size=2)[0]
    assert (row.id, row.input, row.first, row.first_right, row.second, row.second_right) == (
        *("c", "Ask c ¿ñ? مرحبا", "X "),
        *(True, "no", False),
    )
    alone = Answers(pair[0])
    assert len(alone.rows("differ")) == 4
    with pytest.raises(ValueError, match="two models"):
        alone.paired()


def test_answers_as_csv_start_no_formula(pair: tuple[Path, Path]) -> None:
    answers = Answers(*pair)
    text = answers.csv(answers.rows("first_wrong"), ["id", "input", "expected", "=one", "right", "two", "right"])
    assert list(csv.reader(io.StringIO(text.removeprefix("\ufeff")))) == [
        ["id", "input", "expected", "'=one", "right", "two", "right"],
        ["b", "Ask b ¿ñ? مرحبا", "X", "no", "0", "other", "0"],
    ]
    assert table_csv(["a"], [["@SUM(1)"], [-1.5]]).splitlines()[1:] == ["'@SUM(1)", "-1.5"]


def test_what_travels_with_a_row_is_read_and_exported(tmp_path: Path) -> None:
    line = {"id": "a", "input": "Ask", "expected": "X", "answer": "X", "correct": True}
    lines = [line | {"fields": {"region": "north"}}, line | {"id": "b", "fields": {"ticket": "7"}}]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines), "utf-8")
    answers = Answers(tmp_path)
    ids = answers.rows("all")
    assert [row.fields for row in answers.page(ids, 1)] == [{"region": "north"}, {"ticket": "7"}]
    table = list(
        csv.reader(io.StringIO(answers.csv(ids, ["id", "input", "expected", "one", "right"]).removeprefix("\ufeff")))
    )
    assert table == [
        ["id", "input", "expected", "one", "right", "region", "ticket"],
        ["a", "Ask", "X", "X", "1", "north", ""],
        ["b", "Ask", "X", "X", "1", "", "7"],
    ]


def test_missing_answers_say_so(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"answers\.jsonl"):
        Answers(tmp_path)


def test_confusion_lists_the_most_frequent_mistakes(tmp_path: Path) -> None:
    assert confusion(tmp_path) is None
    table = Confusion(labels=["a", "b", "c"], counts=[[9, 1, 0], [3, 5, 0], [0, 0, 4]])
    assert table.mistakes() == [("b", "a", 3), ("a", "b", 1)]
    (tmp_path / "confusion.json").write_text(table.model_dump_json())
    assert confusion(tmp_path) == table


EVIL = "<script>alert(1)</script> | `x` [a](http://b)\n# c"


def report() -> doc.Report:
    return doc.Report(
        title=EVIL,
        subtitle="sub",
        lang="es",
        parts=[
            doc.Heading(text=EVIL),
            doc.BulletList(texts=[EVIL]),
            doc.Table(header=["m", "n"], rows=[[EVIL, "1"]], numbers=[1], bars={1: [0.5]}),
            doc.Scatter(
                title=EVIL,
                x_title="x",
                y_title="y",
                dots=[doc.Dot(x=0.5, y=0.5, colour="#fff", label=EVIL, whisker=(0.4, 0.6))],
                line=[(0.1, 0.1), (0.5, 0.5)],
                x_ticks=[(0.5, "10 ms")],
            ),
        ],
    )


def test_report_is_one_file_without_script_and_escaped() -> None:
    text = doc.html(report())
    assert text.startswith('<!doctype html>\n<html lang="es">')
    assert "<script" not in text
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 7
    assert "default-src 'none'" in text
    assert "<svg" in text
    assert "src=" not in text
    assert 'style="width:50.0%"' in text


def test_markdown_report_keeps_its_table() -> None:
    text = doc.markdown(report())
    assert "| m | n |\n| --- | ---: |\n| " in text
    assert "<script" not in text.replace(r"\<script", "")
    row = next(line for line in text.splitlines() if line.endswith("| 1 |"))
    assert row.replace(r"\|", "").count("|") == 3
    assert r"\[a\](http://b)" in row
