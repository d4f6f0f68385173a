"""Every rule by itself, what wins over what, and what people decided."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data.curation import RowDecision, curate
from backend.data.dataset import Row, Template
from backend.data.filters import FilterParams, check_filters

TEXT = Template()
COLOURS = Template(answer="label", labels=["red", "green", "blue"])


def row(id: str, input: str, output: str | None = "yes it is", **about: Any) -> Row:
    return Row(id=id, input=input, output=output, **about)


def reasons(
    rows: list[Row], template: Template = TEXT, held_out: list[Row] | None = None, **rules: Any
) -> dict[str, str]:
    """Row id -> why it went."""
    found = curate(FilterParams(**rules), template, rows, held_out or [])
    assert len(found.kept) + len(found.drops) == len(rows)
    assert sum(found.counts.values()) == len(found.drops)
    return {drop.row.id: drop.reason for drop in found.drops}


GOOD = row("good", "is the kettle on", "yes, since five minutes")


@pytest.mark.parametrize(
    ("bad", "reason", "rules"),
    [
        (row("bad", "what time is it", None), "no_answer", {}),
        (row("bad", "what time is it", "  "), "no_answer", {}),
        (row("bad", "hm", "too short a question"), "input_length", {"input_shortest": 3}),
        (row("bad", "x" * 50, "too long a question"), "input_length", {"input_longest": 49}),
        (row("bad", "what time is it", "ten"), "answer_length", {"answer_shortest": 4}),
        (row("bad", "what time is it", "ten " * 20), "answer_length", {"answer_longest": 40}),
        (row("bad", "what time is it", "see http://x"), "pattern", {"must_not_match": "https?://"}),
        (row("bad", "what time is it", "Ten"), "pattern", {"must_match": "^[a-z]"}),
        (row("bad", "What  time is it", "what time is IT"), "echo", {}),
        (row("bad", "what time is it", "I’m sorry, I have no clock"), "refusal", {}),
        (row("bad", "¿qué hora es?", "Lo siento, no llevo reloj"), "refusal", {}),
        (row("bad", "what time is it", "ten", confidence=0.4), "unsure", {"min_confidence": 0.5}),
        (row("bad", "what time is it", "ten", gold="a quarter to nine"), "disagrees", {"drop_disagreeing": True}),
    ],
)
def test_a_row_goes_for_its_reason_and_stays_without_the_rule(bad: Row, reason: str, rules: dict[str, Any]) -> None:
    assert reasons([GOOD, bad], **rules) == {"bad": reason}
    if rules:
        assert reasons([GOOD, bad]) == {}


def test_switched_off_rules_drop_nothing() -> None:
    rows = [row("1", "say hello", "say hello"), row("2", "what time is it", "I can't tell")]
    assert reasons(rows, drop_echoes=False, drop_refusals=False) == {}


def test_labels_must_be_labels_and_may_say_what_the_input_says() -> None:
    rows = [row("1", "red", "red"), row("2", "which one", "Red"), row("3", "no colour at all", "maroon")]
    assert reasons(rows, COLOURS) == {"2": "no_label", "3": "no_label"}
    assert reasons(rows, COLOURS, labels_only=False) == {}
    assert reasons([row("1", "the sky", "blue", gold="red")], COLOURS, drop_disagreeing=True) == {"1": "disagrees"}


def test_rows_without_a_confidence_are_not_unsure() -> None:
    assert reasons([row("1", "what time is it")], min_confidence=1.0) == {}


def test_free_text_is_compared_with_people_by_its_words() -> None:
    rows = [
        row("near", "what time is it", "it is a quarter to nine now", gold="it is a quarter to nine"),
        row("far", "where is the cat", "ask somebody else", gold="on the sofa"),
    ]
    assert reasons(rows, drop_disagreeing=True) == {"far": "disagrees"}
    assert reasons(rows, drop_disagreeing=True, gold_similarity=1.0) == {"near": "disagrees", "far": "disagrees"}


def test_of_near_duplicates_the_surest_stays_and_other_labels_are_no_duplicates() -> None:
    rows = [
        row("1", "make the lamp in the kitchen red", "red", confidence=0.6),
        row("2", "Make the lamp in the kitchen red!", "red", confidence=0.9),
        row("3", "make the lamp in the kitchen red", "blue", confidence=0.9),
        row("4", "it is green", "green"),
    ]
    found = curate(FilterParams(), COLOURS, rows)
    assert [(drop.row.id, drop.reason, drop.other) for drop in found.drops] == [("1", "near_duplicate", "2")]
    assert [kept.id for kept in found.kept] == ["2", "3", "4"]
    assert reasons(rows, COLOURS, near_duplicates=0) == {}


def test_the_same_words_in_another_conversation_are_no_duplicate() -> None:
    talk = [{"role": "user", "content": "where is the cat"}, {"role": "assistant", "content": "on the sofa"}]
    rows = [row("1", "are you sure"), row("2", "are you sure", context=talk), row("3", "are you sure", context=talk)]
    assert reasons(rows) == {"3": "near_duplicate"}


def test_rows_too_close_to_one_that_measures_go() -> None:
    held_out = [row("t1", "turn the big light in the kitchen on")]
    rows = [
        row("same", "Turn the big light in the kitchen on."),
        row("near", "turn the big lights in the kitchen on"),
        row("far", "close the garage"),
    ]
    assert reasons(rows, held_out=held_out, near_duplicates=0.8) == {"same": "leak", "near": "leak"}
    assert reasons(rows, held_out=held_out, near_duplicates=0) == {"same": "leak"}
    assert reasons(rows, held_out=held_out, drop_leaks=False, near_duplicates=0) == {}


def test_classes_are_cut_to_a_number_or_to_the_middle_one() -> None:
    words = "apple banana cherry damson elder fig grape huckleberry iris juniper".split()  # noqa: SIM905
    rows = [row(f"{colour}{n}", f"{words[n]} in {colour}", colour) for colour, count in
            (("red", 9), ("green", 4), ("blue", 2)) for n in range(count)]  # fmt: skip
    capped = reasons(rows, COLOURS, max_per_class=3, near_duplicates=0)
    assert sorted(id_[:3] for id_ in capped) == ["gre"] + ["red"] * 6 and set(capped.values()) == {"balance"}
    middle = curate(FilterParams(balance="median", near_duplicates=0), COLOURS, rows)
    assert len(middle.kept) == 4 + 4 + 2
    again = curate(FilterParams(balance="median", near_duplicates=0), COLOURS, rows)
    assert [one.id for one in again.kept] == [one.id for one in middle.kept]
    other = curate(FilterParams(balance="median", near_duplicates=0), COLOURS, rows, seed=1)
    assert [one.id for one in other.kept] != [one.id for one in middle.kept]


def test_what_people_decided_wins_over_every_rule() -> None:
    rows = [
        row("rejected", "the sky", "blue", confidence=0.9),
        row("edited", "the grass", "blueish", gold=None, confidence=0.1),
        row("accepted", "the grass ", "green", confidence=0.0),
        row("other", "The grass", "green", confidence=0.9),
    ]
    decisions = {
        "rejected": RowDecision(False),
        "edited": RowDecision(True, "green"),
        "accepted": RowDecision(True),
        "gone": RowDecision(True),
    }
    found = curate(
        FilterParams(min_confidence=0.5, max_per_class=1), COLOURS, rows, [row("t", "a far hill")], decisions
    )
    assert {drop.row.id: drop.reason for drop in found.drops} == {"rejected": "rejected", "other": "near_duplicate"}
    edited, accepted = found.kept
    assert (edited.output, edited.gold, edited.confidence) == ("green", "green", None)
    assert accepted.output == "green" and accepted.confidence == 0.0
    measuring = [row("t", "the grass")]
    assert curate(FilterParams(), COLOURS, rows, measuring, decisions).counts == {"rejected": 1, "leak": 3}
    assert len(curate(FilterParams(drop_leaks=False), COLOURS, rows, measuring, decisions).kept) == 2


def test_patterns_are_checked_and_can_not_hang_a_job() -> None:
    codes = [
        (problem.code, problem.field) for problem in check_filters(FilterParams(must_match="(", must_not_match="[a-"))
    ]
    assert codes == [("synth.pattern", "must_match"), ("synth.pattern", "must_not_match")]
    wide = FilterParams(answer_shortest=9, answer_longest=3)
    assert [problem.code for problem in check_filters(wide)] == ["synth.lengths"]
    with pytest.raises(StudioError) as caught:
        curate(FilterParams(must_match="(a|aa)+$"), TEXT, [row("7", "count", "a" * 60 + "b")])
    assert caught.value.code == "synth.pattern_slow" and "row 7" in str(caught.value)
