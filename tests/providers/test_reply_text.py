"""Texts of replies: parts, reasoning within and beside, half characters; whole and in pieces."""

from __future__ import annotations

import json

import pytest

from backend.providers.protocols import PROTOCOLS
from backend.providers.reply_text import MARKS, ReasoningFilter, clean, content_texts, split_reasoning
from backend.providers.streams import deltas, whole_reply


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("<think>\na\n</think>\n\nPositive", "Positive", "a"),
        ("  <think></think>Positive", "Positive", ""),
        ("<think>one</think><think>two</think>Positive", "Positive", "one\n\ntwo"),
        ("so it is\n</think>\nPositive", "Positive", "so it is"),
        ("<think>never closed", "", "never closed"),
        ("Positive", "Positive", ""),
        ("Write <think> in code", "Write <think> in code", ""),
        ("[THINK]a[/THINK]Positive", "Positive", "a"),
        (
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>Positive",
            "Positive",
            "a<|end|>",
        ),
        ("", "", ""),
    ],
)
def test_reasoning_is_split_off(text: str, answer: str, reasoning: str) -> None:
    assert split_reasoning(text) == (answer, reasoning)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(("begin", "end"), MARKS)
def test_a_stream_shows_the_answer_only_wherever_it_is_cut(begin: str, end: str, size: int) -> None:
    text = f"{begin}\nthe customer {end[:-1]} thanks{end}\n\nIt is <b>good</b> 😀"
    shown = ReasoningFilter()
    pieces = [piece for at in range(0, len(text), size) for piece in shown.feed(text[at : at + size])]
    assert "".join([*pieces, *shown.rest()]) == "It is <b>good</b> 😀"


@pytest.mark.parametrize("text", ["<", "<thi", "<b>bold</b>", "plain", "\n\nplain"])
def test_a_stream_without_reasoning_is_whole(text: str) -> None:
    shown = ReasoningFilter()
    pieces = [piece for letter in text for piece in shown.feed(letter)]
    assert "".join([*pieces, *shown.rest()]) == text


def test_a_stream_that_only_reasons_has_no_answer() -> None:
    shown = ReasoningFilter()
    assert [*shown.feed("<think>on and on"), *shown.feed(" and on"), *shown.rest()] == []


def test_halves_of_characters_are_joined_or_replaced() -> None:
    assert clean("\ud83d\ude00 \ud800x") == "😀 \ufffdx"
    shown = ReasoningFilter()
    assert "".join([*shown.feed("a\ud83d"), *shown.feed("\ude00b"), *shown.rest()]) == "a😀b"


def test_parts_are_joined_and_others_left_out() -> None:
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {}},
        "b",
        {"type": "output_text", "text": "c"},
    ]
    assert content_texts(parts) == ("abc", "")
    assert content_texts(None) == ("", "")
    for odd in (7, {"text": "a"}):
        with pytest.raises(TypeError):
            content_texts(odd)


def test_a_whole_reply_from_a_stream_has_calls_reasoning_and_counts() -> None:
    def event(**delta: object) -> bytes:
        return f"data: {json.dumps({'choices': [{'delta': delta}]})}\r\n\r\n".encode()

    call = {"index": 0, "id": "1", "function": {"name": "weather", "arguments": '{"pla'}}
    more = {"index": 0, "function": {"arguments": 'ce": "León"}'}}
    parts = [
        b": keep-alive\n\n",
        event(role="assistant", content=""),
        event(reasoning_content="I look it up."),
        event(tool_calls=[call]),
        event(tool_calls=[more]),
        b'data: {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}\n\n',
        b'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}\n\ndata: [DO',
        b"NE]\n\n",
    ]
    reply = whole_reply(deltas(parts, PROTOCOLS["openai"]))
    assert json.loads(reply.text)["name"] == "weather" and "León" in reply.text
    assert (reply.reasoning, reply.finish_reason, reply.usage) == ("I look it up.", "tool_calls", (5, 2))


def test_a_stream_without_a_last_event_counts_when_it_said_why_it_ended() -> None:
    body = b'data: {"choices": [{"delta": {"content": "red"}, "finish_reason": "stop"}]}\n\n'
    assert whole_reply(deltas([body], PROTOCOLS["openai"])).text == "red"
