"""Failures for people, also those that another version stored."""

from __future__ import annotations

import pytest

from backend.core.errors import Problem, StudioError


def test_a_stored_code_that_is_unknown_here_is_said_as_it_is() -> None:
    problem = Problem(code="train.of_tomorrow", args={"rank": 3}, field="rank")
    assert problem.text() == "rank: Unexpected error: train.of_tomorrow See the job's log for details."


def test_a_code_that_is_raised_has_to_be_known() -> None:
    with pytest.raises(KeyError):
        StudioError("train.of_tomorrow")


def test_problem_that_quotes_others_says_them_in_the_same_language() -> None:
    quoted = {"code": "good.cut_off", "args": {"value": "40%", "limit": "10%", "setting": "max_cut_off"}}
    problem = Problem(code="package.findings", args={"name": "m", "findings": [quoted]})
    assert "40% of the answers" in problem.sentence()
    assert "40% of the respuestas" in problem.sentence(lambda text: text.replace("answers", "respuestas"))
