"""Every answer of a conversation becomes a row; tools, parts and weights are read; what has no order is a row error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.data.examples import to_pool
from tests.data.mapping.reading_builder import Mapped, mapped, reading

SYSTEM = {"role": "system", "content": "Be kind."}
ONE = {"role": "user", "content": "One?"}
TWO = {"role": "assistant", "content": "Two."}
THREE = {"role": "user", "content": "Three?"}
FOUR = {"role": "assistant", "content": "Four."}
CALL = {"id": "c1", "type": "function", "function": {"name": "stock", "arguments": '{"item": "lamp"}'}}
TOOLS = [{"type": "function", "function": {"name": "stock", "parameters": {"type": "object"}}}]


def chat(*conversations: Any, schema: str = "chat", **params: Any) -> Mapped:
    return mapped([{"messages": turns} for turns in conversations], reading(schema, messages="messages"), **params)


def test_every_answer_is_learned_with_what_stands_before_it() -> None:
    found = chat([SYSTEM, ONE, TWO, THREE, FOUR]).examples
    assert [(row.input, row.output, row.context) for row in found] == [
        ("One?", "Two.", [SYSTEM]),
        ("Three?", "Four.", [SYSTEM, ONE, TWO]),
    ]
    assert found[0].conversation == found[1].conversation == found[0].group != ""


def test_ids_number_the_answers_of_a_row() -> None:
    assert [row["id"] for row in chat([ONE, TWO], [ONE, TWO, THREE, FOUR]).rows] == ["r1", "r2.1", "r2.2"]


def test_the_same_conversation_has_the_same_id_elsewhere() -> None:
    first, second = chat([ONE, TWO, THREE, FOUR]), chat([ONE, TWO], json.dumps([ONE, TWO, THREE, FOUR]))
    assert first.examples[0].conversation == second.examples[1].conversation


def test_only_the_last_answer_and_that_it_is_said() -> None:
    found = chat([ONE, TWO, THREE, FOUR], [ONE, TWO], turns="last")
    assert found.pairs == [("Three?", "Four."), ("One?", "Two.")] and found.notes.counts == {"data.turns_skipped": 1}


def test_sharegpt_with_tools() -> None:
    turns = [
        {"from": "human", "value": "Lamps?"},
        {"from": "function_call", "value": '{"name": "stock", "arguments": {"item": "lamp"}}'},
        {"from": "observation", "value": "3 left"},
        {"from": "gpt", "value": "Three."},
    ]
    read = reading("sharegpt", messages="conversations", tools="tools")
    first, second = mapped([{"conversations": turns, "tools": json.dumps([TOOLS[0]["function"]])}], read).rows
    call = {"type": "function", "function": {"name": "stock", "arguments": '{"item": "lamp"}'}}
    assert (first["input"], first["output"], first["tool_calls"], first["tools"]) == ("Lamps?", "", [call], TOOLS)
    assert (second["input"], second["output"]) == ("", "Three.")
    assert second["context"] == [
        {"role": "user", "content": "Lamps?"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "3 left"},
    ]


@pytest.mark.parametrize("content", [None, "", "Let me look."])
def test_a_tool_call_is_an_answer(content: str | None) -> None:
    turns = [ONE, {"role": "assistant", "content": content, "tool_calls": [CALL]}]
    found = mapped([{"messages": turns, "tools": TOOLS}], reading("chat", messages="messages")).rows
    assert (found[0]["output"], found[0]["tool_calls"], found[0]["tools"]) == (content or "", [CALL], TOOLS)


def test_legacy_function_call_and_result() -> None:
    turns = [
        ONE,
        {"role": "assistant", "content": None, "function_call": {"name": "stock", "arguments": "{}"}},
        {"role": "function", "name": "stock", "content": "3"},
        TWO,
    ]
    first, second = chat(turns).examples
    assert first.tool_calls[0]["function"]["name"] == "stock"
    assert second.context[-1] == {"role": "tool", "content": "3", "name": "stock"}


def test_parts_are_joined_and_pictures_refused() -> None:
    parts = [{"type": "text", "text": "One."}, {"type": "text", "text": "Answer in two words."}]
    picture = [*parts, {"type": "image_url", "image_url": {"url": "x"}}]
    found = chat([ONE | {"content": parts}, TWO], [ONE | {"content": picture}, TWO])
    assert found.pairs == [("One.\n\nAnswer in two words.", "Two.")]
    assert found.errors.places == {"data.chat_parts": ["2 → image_url"]}


def test_an_answer_of_weight_0_is_context() -> None:
    found = chat([ONE, TWO | {"weight": 0}, THREE, FOUR | {"weight": 1}])
    assert found.pairs == [("Three?", "Four.")] and found.examples[0].context == [ONE, TWO]
    assert found.notes.counts == {"data.turns_weightless": 1}


def test_developer_is_the_system() -> None:
    assert chat([SYSTEM | {"role": "developer"}, ONE, TWO]).examples[0].context == [SYSTEM]


def test_two_turns_of_the_user_are_joined_and_said() -> None:
    found = chat([ONE, THREE, FOUR])
    assert found.pairs == [("One?\n\nThree?", "Four.")] and found.notes.counts == {"data.turns_joined": 1}


def test_a_last_question_without_an_answer() -> None:
    found = chat([ONE, TWO, THREE], [ONE], [ONE, TWO | {"content": ""}])
    assert found.pairs == [("One?", "Two."), ("One?", None), ("One?", None)]
    assert found.notes.counts == {"data.turns_open": 1, "data.turns_unanswered": 2}


@pytest.mark.parametrize(
    ("turns", "code", "place"),
    [
        ([TWO, ONE, FOUR], "data.chat_roles", "1 → assistant message first (1)"),
        ([ONE, TWO, FOUR], "data.chat_roles", "1 → two assistant messages in a row (3)"),
        ([ONE, SYSTEM, TWO], "data.chat_roles", "1 → system message in the middle (2)"),
        ([SYSTEM], "data.chat_roles", "1 → only a system message"),
        ([ONE, {"role": "tool", "content": "x"}, TWO], "data.chat_roles", "1 → tool result without a call (2)"),
        ([ONE, TWO | {"tool_calls": [CALL]}, THREE], "data.chat_roles", "1 → tool call without a result (3)"),
        ([ONE, TWO | {"content": ""}, THREE, FOUR], "data.chat_roles", "1 → empty message (2)"),
        ([ONE, {"role": "narrator", "content": "x"}], "data.chat_roles", "1 → unknown role (2)"),
        ([{"role": "user"}], "data.chat_shape", "1 → content"),
        ([{"content": "x"}], "data.chat_shape", "1 → role"),
        ([], "data.chat_shape", "1 → empty"),
        ("hello", "data.chat_shape", "1 → not a list"),
        (["hi"], "data.chat_shape", "1 → text"),
        ([ONE, {"role": "assistant", "content": "a\0"}], "data.characters", "1"),
        ([ONE, TWO | {"tool_calls": [{"function": {}}]}], "data.tool_calls_shape", "1 → no name"),
        ([ONE, TWO | {"tool_calls": [{"name": "f", "arguments": "{"}]}], "data.tool_calls_shape", "1 → arguments"),
    ],
)  # fmt: skip
def test_what_can_not_be_rendered_is_a_row_error(turns: Any, code: str, place: str) -> None:
    found = chat(turns)
    assert found.errors.places == {code: [place]} and not found.examples


def test_tools_that_can_not_be_read_are_a_row_error() -> None:
    rows = [{"messages": [ONE, TWO], "tools": "stock"}]
    assert mapped(rows, reading("chat", messages="messages", tools="tools")).errors.counts == {"data.tools_shape": 1}


def test_a_column_with_the_system_prompt() -> None:
    read = reading("sharegpt", messages="conversations", system="system")
    assert mapped([{"conversations": [ONE, TWO], "system": "Be kind."}], read).examples[0].context == [SYSTEM]


def test_prompt_and_completion_as_messages() -> None:
    read = reading("prompt_completion", input=["prompt"], output="completion")
    rows = [{"prompt": [SYSTEM, ONE, TWO, THREE], "completion": [FOUR]}, {"prompt": "One?", "completion": "Two."}]
    found = mapped(rows, read)
    assert found.pairs == [("Three?", "Four."), ("One?", "Two.")] and found.examples[0].context == [SYSTEM, ONE, TWO]
    assert not found.notes.counts.get("data.turns_open")


def test_one_turn_per_row() -> None:
    rows = [
        ("a", "customer", "One?"),
        ("a", "agent", "Two."),
        ("b", "customer", "Three?"),
        ("b", "agent", "Four."),
        ("a", "agent", "Late."),
    ]
    read = reading("turns", input=["text"], speaker="who", group="chat")
    found = mapped([dict(zip(("chat", "who", "text"), row, strict=True)) for row in rows], read)
    assert found.pairs == [("One?", "Two."), ("Three?", "Four.")]
    assert found.errors.places == {"data.turns_apart": ["5 → a"]}


def test_a_conversation_with_a_label_or_a_summary() -> None:
    turns = [ONE, TWO]
    label = mapped(
        [{"messages": turns, "topic": "small talk"}], reading("conversation_label", messages="messages", output="topic")
    )
    assert label.pairs == [("User: One?\nAssistant: Two.", "small talk")]
    text = [{"dialogue": "Ann: Hi\nBo: Ho", "summary": "They greet."}]
    assert mapped(text, reading("conversation_summary", input=["dialogue"], output="summary")).pairs == [
        ("Ann: Hi\nBo: Ho", "They greet.")
    ]


def test_a_group_column_keeps_conversations_together() -> None:
    rows = [{"messages": [ONE, TWO, THREE, FOUR], "customer": 7}]
    found = mapped(rows, reading("chat", messages="messages", group="customer")).examples
    assert {example.group for example in found} == {"7"} and found[0].conversation


def test_calls_that_go_to_the_pool_stay_known() -> None:
    call = {"type": "function", "function": {"name": "stock", "arguments": {"item": "lamp"}}}
    gold = to_pool({"id": "r1", "input": "Any lamps?", "output": "Let me look.", "tool_calls": [call]})["gold"]
    assert gold.startswith("Let me look.") and "stock" in gold and "lamp" in gold
