"""Replies read and counted."""

from __future__ import annotations

import pytest

from backend.generation.voting import CUT_OFF, EMPTY, NO_LABEL, NO_MARKER, Sample, read, vote


def said(*answers: str, labels: set[str] | None = None) -> list[Sample]:
    return [read(answer, None, "", labels) for answer in answers]


@pytest.mark.parametrize(
    ("answers", "winner", "share"),
    [
        (["a", "b", "a"], "a", 2 / 3),
        (["b", "a"], "b", 0.5),
        (["c", "a", "b", "b", "a"], "a", 0.4),
        (["a", "a", "a"], "a", 1.0),
    ],
)
def test_the_most_frequent_answer_wins_and_the_earliest_of_equals(
    answers: list[str], winner: str, share: float
) -> None:
    won = vote(said(*answers), fold=False)
    assert (won.answer, won.confidence, won.fault) == (winner, pytest.approx(share), None)


def test_answers_of_no_use_never_win_and_lower_the_share() -> None:
    won = vote(said("", "what", "what", "a", labels={"a", "b"}), fold=False)
    assert (won.answer, won.confidence) == ("a", 0.25)
    lost = vote(said("what", "", labels={"a"}), fold=False)
    assert (lost.answer, lost.fault) == ("what", NO_LABEL)


def test_texts_are_compared_without_case_and_spaces_and_labels_are_not() -> None:
    assert vote(said("Yes,  it is", "no", "yes, it IS"), fold=True).answer == "Yes,  it is"
    assert vote(said("IT", "it", "it"), fold=False).answer == "it"


def test_one_sample_keeps_its_own_confidence() -> None:
    assert vote([Sample("a", confidence=0.7)], fold=False).confidence == 0.7


def test_steps_and_answer_are_kept_apart() -> None:
    sample = read("It is warm.\nAnswer: red?\nNo.\nAnswer: blue\n", 0.5, "Answer:", {"blue"})
    assert (sample.answer, sample.fault, sample.confidence) == ("blue", None, 0.5)
    assert sample.rationale == "It is warm.\nAnswer: red?\nNo."
    assert read("blue", None, "Answer:", {"blue"}).fault == NO_MARKER
    assert read("steps\nAnswer:  ", None, "Answer:", None).fault == EMPTY
    assert read("", None, "Answer:", None).fault == EMPTY


def test_what_was_cut_off_is_of_no_use_unless_it_is_a_label() -> None:
    assert read("a long ans", 0.5, "", None, cut=True) == Sample("a long ans", None, 0.5, CUT_OFF)
    assert read("blue", None, "", {"blue"}, cut=True).fault is None
    assert read("blu", None, "", {"blue"}, cut=True).fault == NO_LABEL
    assert read("It is", None, "Answer:", {"blue"}, cut=True).fault == CUT_OFF
    assert read("steps\nAnswer:", None, "Answer:", None, cut=True).fault == CUT_OFF
    assert read("steps\nAnswer: a lon", None, "Answer:", None, cut=True).fault == CUT_OFF
    assert read("", None, "", None, cut=True).fault == EMPTY


def test_the_steps_of_the_winner_come_with_it() -> None:
    samples = [read(f"{why} Answer: {what}", None, "Answer:", None) for why, what in ("1a", "2b", "3b")]
    assert vote(samples, fold=False).rationale == "2"
