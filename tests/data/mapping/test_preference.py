"""The chosen answer is learned, the rejected one kept, whatever the shape of the file."""

from __future__ import annotations

from typing import Any

import pytest

from tests.data.mapping.reading_builder import mapped, reading

USER = {"role": "user", "content": "Tea?"}


def answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Tea?", "chosen": "Yes.", "rejected": "Go away."},
        {"prompt": [USER], "chosen": [answer("Yes.")], "rejected": [answer("Go away.")]},
        {"prompt": "Tea?", "chosen": [USER, answer("Yes.")], "rejected": [USER, answer("Go away.")]},
        {"chosen": [USER, answer("Yes.")], "rejected": [USER, answer("Go away.")]},
        {"chosen": "\n\nHuman: Tea?\n\nAssistant: Yes.", "rejected": "\n\nHuman: Tea?\n\nAssistant: Go away."},
        {"prompt": {"messages": [USER]}, "chosen": answer("Yes."), "rejected": answer("Go away.")},
    ],
)
def test_the_better_answer_is_learned(row: dict[str, Any]) -> None:
    read = reading("preference", input=["prompt"] if "prompt" in row else [], output="chosen", rejected="rejected")
    found = mapped([row], read)
    assert found.rows == [{"id": "r1", "input": "Tea?", "output": "Yes.", "rejected": "Go away."}]


def test_a_longer_dialogue_is_context() -> None:
    both = "\n\nHuman: Hi\n\nAssistant: Ho\n\nHuman: Tea?\n\nAssistant: "
    row = {"chosen": both + "Yes.", "rejected": both + "No."}
    example = mapped([row], reading("preference", output="chosen", rejected="rejected")).examples[0]
    assert (example.input, example.output, example.rejected) == ("Tea?", "Yes.", "No.")
    assert example.context == [{"role": "user", "content": "Hi"}, answer("Ho")]


@pytest.mark.parametrize("rejected", ["", None, [USER, answer("No."), USER, answer("No!")]])
def test_sides_that_do_not_match_are_a_row_error(rejected: Any) -> None:
    row = {"chosen": [USER, answer("Yes.")], "rejected": rejected}
    found = mapped([row], reading("preference", output="chosen", rejected="rejected"))
    assert found.errors.counts == {"data.preference_shape": 1}


def test_rejected_tool_calls_are_a_row_error_and_not_an_empty_answer() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "kettle", "arguments": {}}}]}
    row = {"prompt": [USER], "chosen": [answer("Yes.")], "rejected": [call]}
    found = mapped([row], reading("preference", input=["prompt"], output="chosen", rejected="rejected"))
    assert found.errors.counts == {"data.preference_shape": 1} and not found.rows


def test_marks_are_words_for_good_or_not() -> None:
    rows = [{"prompt": "Tea?", "completion": "Yes.", "label": mark} for mark in (True, "up", "👎", 0, "perhaps")]
    found = mapped(rows, reading("kto", input=["prompt"], output="completion", desired="label"))
    assert [row.output for row in found.examples] == ["Yes.", "Yes.", None, None]
    assert found.errors.counts == {"data.verdict_unknown": 1}


def test_a_worse_answer_alone_is_never_an_answer() -> None:
    rows = [
        {"prompt": "Tea?", "completion": "Yes.", "label": True},
        {"prompt": "Tea?", "completion": "Go away.", "label": False},
    ]
    found = mapped(rows, reading("kto", input=["prompt"], output="completion", desired="label"))
    assert [(row.output, row.rejected) for row in found.examples] == [("Yes.", None), (None, "Go away.")]
    assert found.notes.counts == {"data.rejected_only": 1}
