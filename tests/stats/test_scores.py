"""Scores by hand."""

from __future__ import annotations

import pytest

from backend.core.thresholds import findings
from backend.stages.evaluate import EvaluateParams
from backend.stats.intervals import wilson_interval
from backend.stats.metrics import scores_of
from backend.stats.scores import Answers, confusion, numbers_right
from backend.stats.token_f1 import token_f1


def test_label_scores_by_hand() -> None:
    found = scores_of("label", Answers(["a", "a", "b", "c"], ["a", " b ", "b", "A"], ["a", "b", "c"], "a"))
    assert found["accuracy"] == found["exact_match"] == 0.5
    assert found["invalid_rate"] == 0.25
    assert found["majority_baseline"] == 0.5
    # a: precision 1, recall 1/2; b: precision 1/2, recall 1; c: never answered.
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert found["n"] == 4.0


def test_confusion_counts_answers_that_are_no_label() -> None:
    found = confusion(["a", "b", "b"], ["a", "a", "what"], ["a", "b"])
    assert found["counts"] == [[1, 0, 0], [1, 0, 1], [0, 0, 0]]


def test_text_scores_by_hand() -> None:
    found = scores_of("text", Answers(["el niño está aquí", "yes"], ["el niño no está", "yes"]))
    assert found["exact_match"] == 0.5
    assert found["token_f1"] == pytest.approx((0.75 + 1) / 2)
    assert found["rouge_l"] == pytest.approx((0.75 + 1) / 2)


def test_words_keep_letters_outside_ascii() -> None:
    assert token_f1("ñandú", "nandu") == 0.0
    assert token_f1("", "") == 1.0


def test_the_interval_is_wilsons() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0, 10)[0] == 0.0


def test_wrong_numbers_are_counted_where_there_are_enough_of_them() -> None:
    expected = [f"It weighs {n} g." for n in range(12)]
    given = [f"It weighs {n if n < 3 else 455} g." for n in range(12)]
    assert numbers_right(Answers([*expected, "Hello"], [*given, "7"])) == {"numbers_right": 0.25, "number_rows": 12}
    assert numbers_right(Answers(expected[:9], given[:9])) == {}
    (found,) = findings({"numbers_right": 0.25}, EvaluateParams(data="d").model_dump())
    assert found.code == "good.numbers" and "25.0%" in found.text()
