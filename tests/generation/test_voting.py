"""Replies read and counted."""

from __future__ import annotations

import pytest

from backend.generation.voting import CUT_OFF, EMPTY, NO_LABEL, NO_MARKER, Sample, majority_vote, parse_reply


def said(*answers: str, labels: set[str] | None = None) -> list[Sample]:
    return [parse_reply(answer, None, "", labels) for answer in answers]


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
    won = majority_vote(said(*answers), ignore_case=False)
    assert (won.answer, won.confidence, won.reject_reason) == (winner, pytest.approx(share), None)


def test_answers_of_no_use_never_win_and_lower_the_share() -> None:
    won = majority_vote(said("", "what", "what", "a", labels={"a", "b"}), ignore_case=False)
    assert (won.answer, won.confidence) == ("a", 0.25)
    lost = majority_vote(said("what", "", labels={"a"}), ignore_case=False)
    assert (lost.answer, lost.reject_reason) == ("what", NO_LABEL)


def test_texts_are_compared_without_case_and_spaces_and_labels_are_not() -> None:
    assert majority_vote(said("Yes,  it is", "no", "yes, it IS"), ignore_case=True).answer == "Yes,  it is"
    assert majority_vote(said("IT", "it", "it"), ignore_case=False).answer == "it"


def test_one_sample_keeps_its_own_confidence() -> None:
    assert majority_vote([Sample("a", confidence=0.7)], ignore_case=False).confidence == 0.7


def test_steps_and_answer_are_kept_apart() -> None:
    sample = parse_reply("It is warm.\nAnswer: red?\nNo.\nAnswer: blue\n", 0.5, "Answer:", {"blue"})
    assert (sample.answer, sample.reject_reason, sample.confidence) == ("blue", None, 0.5)
    assert sample.rationale == "It is warm.\nAnswer: red?\nNo."
    assert parse_reply("blue", None, "Answer:", {"blue"}).reject_reason == NO_MARKER
    assert parse_reply("steps\nAnswer:  ", None, "Answer:", None).reject_reason == EMPTY
    assert parse_reply("", None, "Answer:", None).reject_reason == EMPTY


def test_what_was_cut_off_is_of_no_use_unless_it_is_a_label() -> None:
    assert parse_reply("a long ans", 0.5, "", None, truncated=True) == Sample("a long ans", None, 0.5, CUT_OFF)
    assert parse_reply("blue", None, "", {"blue"}, truncated=True).reject_reason is None
    assert parse_reply("blu", None, "", {"blue"}, truncated=True).reject_reason == NO_LABEL
    assert parse_reply("It is", None, "Answer:", {"blue"}, truncated=True).reject_reason == CUT_OFF
    assert parse_reply("steps\nAnswer:", None, "Answer:", None, truncated=True).reject_reason == CUT_OFF
    assert parse_reply("steps\nAnswer: a lon", None, "Answer:", None, truncated=True).reject_reason == CUT_OFF
    assert parse_reply("", None, "", None, truncated=True).reject_reason == EMPTY


def test_the_steps_of_the_winner_come_with_it() -> None:
    samples = [parse_reply(f"{why} Answer: {what}", None, "Answer:", None) for why, what in ("1a", "2b", "3b")]
    assert majority_vote(samples, ignore_case=False).rationale == "2"
