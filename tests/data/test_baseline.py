"""The quick baseline: what plain methods reach, what a naive division pretends, and what is said about it."""

from __future__ import annotations

import pytest

from backend.data import baseline as module
from backend.data.baseline import BaselineReport, TextClassifier, baseline_report, nearest_rows
from backend.data.baseline_advice import advice

THINGS = [
    f"{colour} {thing}"
    for colour in ("red", "blue", "old", "tiny", "big")
    for thing in ["kettle", "radio", "lamp", "tent", "sofa"]
]
ASKED = {
    "repair": "my {} is broken, please mend it",
    "order": "I want to buy another {}",
    "return": "take back the {} I bought",
}


def labelled() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """75 requests of three kinds; those about sofas are the test."""
    rows = [(text.format(thing), label) for thing in THINGS for label, text in ASKED.items()]
    return [row for row in rows if "sofa" not in row[0]], [row for row in rows if "sofa" in row[0]]


def codes(report: BaselineReport) -> list[str]:
    return [problem.code for problem in (report.advice, *report.notes)]


def test_easy_labels_need_no_language_model() -> None:
    report = baseline_report(*labelled(), "label")
    assert [score.method for score in report.methods] == ["majority", "classifier", "nearest"]
    classifier = report.score("classifier")
    assert classifier is not None and classifier.accuracy == 1 and 0.7 < classifier.low < 1
    assert report.ready and codes(report) == ["baseline.classifier_enough"]


def test_labels_that_the_text_does_not_tell() -> None:
    train, test = labelled()
    shuffled = [(text, "ab"[number * 7 % 11 % 2]) for number, (text, _) in enumerate([*train, *test])]
    report = baseline_report(shuffled[: len(train)], shuffled[len(train) :], "label")
    assert report.advice.code == "baseline.no_signal" and "most common label" in report.advice.sentence()


def test_few_distinct_rows_are_not_ready_and_the_naive_division_is_exposed() -> None:
    """105 copies of ten pairs, as in a well-known corpus: a random division finds every test row in training."""
    pairs = [(f"question about {thing}", f"answer about the {thing}") for thing in THINGS[:10]]
    report = baseline_report([*pairs[:8] * 105], [*pairs[8:9] * 105], "text", pairs[9:] * 105)
    nearest = report.score("nearest")
    assert nearest is not None and (nearest.accuracy, nearest.naive_accuracy) == (0, 1) and nearest.high > 0.7
    assert report.distinct == 10 and report.distinct_test == 1 and not report.ready
    assert codes(report) == ["baseline.few_distinct", "baseline.naive_gap"]


def test_free_text_is_judged_by_the_words_of_the_nearest_answer() -> None:
    rows = [(f"where is the {thing}?", f"The {thing} is in aisle {number}.") for number, thing in enumerate(THINGS * 4)]
    report = baseline_report(rows[:80], [(f"{text} please", reply) for text, reply in rows[80:]], "text")
    nearest = report.score("nearest")
    assert nearest is not None and nearest.accuracy == 0 and (nearest.token_f1 or 0) > 0.8
    assert report.score("classifier") is None and report.advice.code == "baseline.text_room"


def test_an_answer_that_the_nearest_row_has_needs_a_search_only() -> None:
    rows = [(f"where is the {thing} number {number}", f"aisle {thing}") for thing in THINGS for number in (1, 2, 3)]
    report = baseline_report(rows, [(f"where is the {thing} please", f"aisle {thing}") for thing in THINGS], "text")
    assert report.advice.code == "baseline.nearest_enough"


def test_more_rows_are_sampled_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    train, test = labelled()
    monkeypatch.setattr(module, "MAX_TRAIN", 30)
    first, again = (baseline_report(rows, test, "label") for rows in (train, train[::-1]))
    assert "baseline.sampled" in codes(first) and first.train == 60
    assert first.model_copy(update={"seconds": 0}) == again.model_copy(update={"seconds": 0})


def test_the_classifier_gives_a_probability_for_each_label() -> None:
    train, _ = labelled()
    model = TextClassifier([text for text, _ in train], [label for _, label in train])
    found = model.probabilities(["please mend my broken chair", "x"])
    assert found.shape == (2, 3) and abs(found.sum() - 2) < 1e-6
    assert model.predict(["please mend my broken chair"]) == ["repair"]
    assert TextClassifier(["a", "b"], ["one", "one"]).predict(["c"]) == ["one"]


def test_texts_without_words_have_a_nearest_row_too() -> None:
    assert nearest_rows(["👍👍", "👎", "¿?"], ["👎👎", "¿?"]) == [1, 2]


def test_few_test_rows_say_nothing() -> None:
    told, ready = advice({}, "label", rows=100, distinct=90, tested=4)
    assert told.code == "baseline.few_tested" and not ready
