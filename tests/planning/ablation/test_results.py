"""What an ablation says: means, spreads, paired differences and costs, from jobs and answers that are computed by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.core.schemas import Kind, State
from backend.planning.ablation.results import Difference, _row_scores
from backend.results.answers import PairedCounts
from tests.planning.ablation.ablation_builder import ROWS, AblationBuilder
from tests.studio.builder import StudioBuilder

RIGHT = {"base": 4, "teacher": 36, "gold-42": 20, "gold-43": 24, "sequence-42": 30, "sequence-43": 32}
RIGHT |= {"logit-42": 31, "logit-43": 31}


@pytest.fixture
def lab(home: Path) -> AblationBuilder:
    return AblationBuilder(StudioBuilder(home))


def test_means_spreads_and_differences(lab: AblationBuilder) -> None:
    run = lab.start()
    lab.finish_all(run, RIGHT)
    found = lab.builder.studio.ablation(run.id)
    assert (found.metric, found.split, found.n) == ("accuracy", "validation", ROWS)
    assert [arm.variant for arm in found.arms] == ["base", "gold", "sequence", "logit", "teacher"]
    gold = found.arm("gold")
    assert gold and gold.scores == {42: 0.5, 43: 0.6} and gold.mean == pytest.approx(0.55)
    assert gold.spread == pytest.approx(0.0707, abs=1e-4)
    assert gold.low < 0.5 < 0.6 < gold.high
    base = found.arm("base")
    assert base and base.scores == {0: 0.1} and base.spread is None and base.seconds is None
    difference = found.difference("sequence", "gold")
    assert difference and difference.seeds == 2
    assert difference.mean == pytest.approx((30 - 20 + 32 - 24) / 2 / ROWS)
    assert difference.shown and difference.low > 0
    # rows 20 to 31 differ in at least one seed, all in one direction
    assert difference.differ == 12 and difference.p == pytest.approx(2 / 2**12)
    even = found.difference("logit", "sequence")
    assert even and even.mean == pytest.approx(0.0) and not even.shown
    teacher = found.difference("teacher", "gold")
    assert teacher and teacher.mean == pytest.approx(0.9 - 0.55)


def test_costs_are_those_of_the_jobs(lab: AblationBuilder) -> None:
    run = lab.start()
    lab.finish_all(run, RIGHT)
    lab.finish(run, "gold-42", seconds=50.0)
    # a worker pins references when it starts a job
    for job in run.jobs:
        if job.stage == "distill":
            capture = {"capture": "capture-probabilities"} if job.stage_id.startswith("logit") else {}
            lab.builder.store.update_job(job.id, resolved={**job.params, **capture})
    captured = next(job for job in run.jobs if job.stage_id == "capture")
    lab.builder.artifact(Kind.CAPTURE, "probabilities", {}, job=captured.id)
    arms = {arm.variant: arm for arm in lab.builder.studio.ablation(run.id).arms}
    assert arms["gold"].seconds == 40.0 and arms["gold"].tokens == 4000.0 and arms["gold"].steps == 20
    assert {name: arm.teacher_seconds for name, arm in arms.items() if name in ("gold", "sequence", "logit")} == {
        "gold": 0.0,
        "sequence": 60.0,
        "logit": 90.0,
    }
    answered = lab.answers.job_id or ""
    lab.builder.store.update_job(answered, result={"artifact": lab.answers.id, "metrics": {"cached": 5.0}})
    cached = lab.builder.studio.ablation(run.id).arm("sequence")
    assert cached and cached.teacher_seconds is None, "answers from the cache say nothing about their cost"


def test_half_a_run_is_read_as_far_as_it_is(lab: AblationBuilder) -> None:
    run = lab.start()
    assert lab.builder.studio.ablation(run.id).arms == []
    for step in ("base-eval", "gold-42", "gold-42-eval", "gold-43", "gold-43-eval", "sequence-42", "sequence-42-eval"):
        lab.finish(run, step, **({"right": RIGHT[step.removesuffix("-eval")]} if step.endswith("-eval") else {}))
    found = lab.builder.studio.ablation(run.id)
    assert (found.done, found.total) == (7, len(run.jobs))
    difference = found.difference("sequence", "gold")
    assert difference and difference.seeds == 1, "only seeds that both have"
    assert difference.mean == pytest.approx((30 - 20) / ROWS)
    assert found.difference("logit", "gold") is None


def test_one_seed_is_mcnemars_test(lab: AblationBuilder) -> None:
    run = lab.start(seeds=1)
    for step, right, start in (("gold-42", 20, 0), ("sequence-42", 20, 14)):
        lab.finish(run, step)
        lab.finish(run, f"{step}-eval", right=right, start=start)
    found = lab.builder.studio.ablation(run.id).difference("sequence", "gold")
    assert found and found.mean == 0 and found.differ == 28
    assert found.p == PairedCounts(both=6, only_first=14, only_second=14, neither=6).p


def test_all_right_or_none_is_not_certain(lab: AblationBuilder) -> None:
    """Of 40 rows all right: the share that gives that with a chance of 2.5 % is 0.025 ^ (1 / 40) = 0.9119."""
    run = lab.start()
    lab.finish_all(run, {**RIGHT, "teacher": ROWS, "base": 0})
    found = lab.builder.studio.ablation(run.id)
    teacher, base = found.arm("teacher"), found.arm("base")
    assert teacher and (teacher.low, teacher.high) == (pytest.approx(0.9119, abs=1e-4), 1.0)
    assert base and (base.low, base.high) == (0.0, pytest.approx(0.0881, abs=1e-4))


def test_too_few_rows_that_differ_show_nothing() -> None:
    about = {"one": "logit", "other": "gold", "precision": "fp32", "mean": 0.1, "seeds": 1, "differ": 4}
    claimed = Difference(low=0.02, high=0.2, p=0.125, **about)
    assert claimed.clear and not claimed.shown
    assert Difference(low=0.02, high=0.2, p=0.01, **about).shown
    assert not Difference(low=-0.02, high=0.2, p=0.01, **about).shown


def test_a_deleted_evaluation_is_not_measured(lab: AblationBuilder) -> None:
    run = lab.start()
    lab.finish_all(run, RIGHT)
    gone = next(job for job in lab.builder.studio.run(run.id).jobs if job.stage_id == "gold-43-eval")
    lab.builder.studio.delete(gone.result["artifact"])
    gold = lab.builder.studio.ablation(run.id).arm("gold")
    assert gold and gold.scores == {42: 0.5}
    assert lab.builder.studio.run(run.id).state is State.SUCCEEDED


def test_free_text_is_scored_by_words(tmp_path: Path) -> None:
    lines = [("a", "red and blue", "blue and red"), ("b", "red", "green")]
    rows = [{"id": id_, "expected": one, "answer": two, "correct": False} for id_, one, two in lines]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert _row_scores(tmp_path, "token_f1") == {"a": 1.0, "b": 0.0}
    assert _row_scores(tmp_path, "accuracy") == {"a": 0.0, "b": 0.0}
