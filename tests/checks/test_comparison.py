"""Figures of a comparison as checks: what fails at which limit, and what can't be measured never passes."""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, nan

import numpy as np
import pytest

from backend.checks.asked_model import TimedAnswer
from backend.checks.check import at_least, at_most, check_dicts, failed
from backend.checks.comparison import (
    LIMITS,
    MEASURED_CHECKS,
    AnswerPair,
    Comparison,
    Question,
    agreement,
    comparison_checks,
    limits_for,
)
from backend.core.errors import Problem


def heard(text: str, ended: bool = True) -> TimedAnswer:
    return TimedAnswer(ids=[ord(char) for char in text], text=text, ended=ended, first_ms=1, ms=1)


def told_row(said: str, kl: float = 0.0, loss: float = 1.0, right: str = "on") -> AnswerPair:
    """A row of 3 + 2 positions; the original is always right."""
    question = Question("q", [1, 2, 3], [4, 5], right)
    return AnswerPair(question, heard(right), heard(said), np.full(5, kl), (1.0, loss), True)


def comparison(*rows: AnswerPair) -> Comparison:
    return Comparison(asked=len(rows), prompts=len(rows), pairs=list(rows))


def test_equal_models_pass_the_tightest_limits() -> None:
    assert failed(comparison_checks(comparison(*[told_row("on")] * 8), LIMITS["fp32"], True)) == []


def test_each_number_fails_alone() -> None:
    def names(row: AnswerPair) -> list[str]:
        return failed(comparison_checks(comparison(*[row] * 8), LIMITS["int4"], True))

    assert names(told_row("of")) == ["token_agreement", "task_loss"]
    assert names(told_row("on", kl=0.5)) == ["kl_answer"]
    assert names(told_row("on", kl=1.5)) == ["kl_answer", "kl_prompt"]
    assert names(told_row("on", loss=1.0 + 2 * 0.5)) == ["perplexity_ratio"]


def test_perplexity_is_per_token_of_the_answers() -> None:
    found = {each.name: each for each in comparison_checks(comparison(told_row("on", loss=1.4)), LIMITS["int4"], True)}
    assert found["perplexity_ratio"].value == pytest.approx(exp(0.4 / 2))


def test_a_loss_that_chance_explains_is_none() -> None:
    rows = [told_row("on")] * 15 + [told_row("of")]
    one = {each.name: each for each in comparison_checks(comparison(*rows), LIMITS["int4"], True)}["task_loss"]
    assert (
        one.value and one.value == pytest.approx(1 / 16) and one.threshold and one.value > one.threshold and one.passed
    )
    rows = [told_row("on")] * 8 + [told_row("of")] * 8
    assert not {each.name: each for each in comparison_checks(comparison(*rows), LIMITS["int4"], True)}[
        "task_loss"
    ].passed


def test_a_crash_leaves_nothing_that_passes() -> None:
    found = comparison_checks(Comparison(asked=4, prompts=4, pairs=[told_row("on")], died="-11"), LIMITS["int4"], True)
    assert set(failed(found)) == {"runs", "runtime_tokens", *MEASURED_CHECKS}
    assert "-11" in found[-1].sentence()


def test_tokens_are_counted_to_the_first_that_differs_with_the_end_of_turn() -> None:
    assert agreement(heard("abc"), heard("abc")) == (4, 4)
    assert agreement(heard("abc"), heard("abc", ended=False)) == (3, 4)
    assert agreement(heard("abc"), heard("xbc")) == (0, 4)


def test_what_is_no_number_fails_and_can_be_written() -> None:
    for value in (nan, inf, None):
        assert not at_most("runs", value, 5).passed and not at_least("runs", value, 0).passed
    assert at_most("runs", inf, 5).value == 1e6
    assert check_dicts([at_most("runs", None, 0, args={"reason": "it died"})])[0]["sentence"].startswith("Not measured")


def test_fewer_bits_are_allowed_more_and_unknown_ones_what_four_are() -> None:
    ordered = [LIMITS[name] for name in ("fp32", "fp16", "int8", "int4")]
    for one, two in pairwise(ordered):
        assert one.agreement > two.agreement and one.kl_answer < two.kl_answer and one.perplexity < two.perplexity
    assert limits_for("int3") == LIMITS["int4"]


def test_every_check_has_its_sentences_and_its_title() -> None:
    from backend.checks.titles import TITLES
    from backend.core.messages import MESSAGES

    assert len(TITLES) > 20
    for name in TITLES:
        assert MESSAGES[f"gate.{name}_failed"][1], name
        assert Problem(code=f"gate.{name}", args={"total": 1, "equal": 1}).sentence()
