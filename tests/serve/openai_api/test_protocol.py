"""Bodies of requests: what is taken, and how a wrong one is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.serve.openai_api import errors
from backend.serve.openai_api.protocol import parse

HELLO = [{"role": "user", "content": "hi"}]


def body(**keys: Any) -> bytes:
    return json.dumps({"model": "m", "messages": HELLO, **keys}).encode()


def said(content: Any, role: str = "user") -> list[dict[str, Any]]:
    return [{"role": role, "content": content}]


def test_unset_keys_have_openais_defaults() -> None:
    order = parse(body(user="me", stop=None, seed=None, max_tokens=None, stream_options=None, logprobs=None)).order()
    seed = order.pop("seed")
    assert order == {
        "messages": HELLO,
        "temperature": 1.0,
        "top_p": 1.0,
        "max_tokens": None,
        "stop": [],
        "constraint": None,
        "top_logprobs": None,
    }
    assert parse(body()).order()["seed"] != seed
    assert parse(body(seed=-1)).order()["seed"] == 2**64 - 1


def test_keys_that_say_how() -> None:
    order = parse(
        body(max_tokens=5, max_completion_tokens=7, stop="end", logprobs=True, top_logprobs=3, tools=[], n=1)
    ).order()
    assert (order["max_tokens"], order["stop"], order["top_logprobs"]) == (7, ["end"], 3)
    assert parse(body(max_tokens=5, logprobs=True)).order()["top_logprobs"] == 0
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert parse(body(messages=said(parts, "developer"))).order()["messages"] == said("ab", "system")
    assert parse(body(stream=True, stream_options={"include_usage": True})).stream_options.include_usage


def test_what_open_webui_sends_is_taken() -> None:
    """As it was recorded from Open WebUI 0.12.4, with every parameter of a chat set, and its wish for a title."""
    shown = {"temperature": 0.8, "top_k": 40, "seed": 3, "stop": ["\n"], "max_tokens": 16, "top_p": 0.9, "min_p": 0.05}
    shown |= {"repeat_penalty": 1.1, "num_ctx": 4096, "reasoning_effort": "low"}
    order = parse(body(stream=True, stream_options={"include_usage": True}, **shown)).order()
    assert (order["max_tokens"], order["stop"], order["seed"], order["top_p"]) == (16, ["\n"], 3, 0.9)
    title = said("### Task:\nGenerate a concise, 3-5 word title.\n<chat_history>\nUSER: hi\n</chat_history>")
    assert parse(body(messages=title, stream=False, max_tokens=1000)).order()["max_tokens"] == 1000


@pytest.mark.parametrize(
    ("wrong", "param", "code"),
    [
        (b"{", "body", "invalid_value"),
        (b"\xff\xfe\x00", "body", "invalid_value"),
        (b"[" * 100_000, "body", "invalid_value"),
        (b"[]", "body", "invalid_value"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "model", "invalid_value"),
        (body(messages=[]), "messages", "invalid_value"),
        (body(messages="hi"), "messages", "invalid_value"),
        (body(messages=said("x", "tool")), "messages.0.role", "invalid_value"),
        (body(messages=said(None)), "messages.0.content", "invalid_value"),
        (body(messages=said([{"type": "image_url", "image_url": {}}])), "messages.0.content", "invalid_value"),
        (
            b'{"model": "m", "messages": [{"role": "user", "content": "\\ud83d"}]}',
            "messages.0.content",
            "invalid_value",
        ),
        (body(temperature=2.1), "temperature", "invalid_value"),
        (body(temperature="warm"), "temperature", "invalid_value"),
        (body(top_p=0), "top_p", "invalid_value"),
        (body(max_tokens=0), "max_tokens", "invalid_value"),
        (body(stop=list("abcde")), "stop", "invalid_value"),
        (body(stop=""), "stop.0", "invalid_value"),
        (body(top_logprobs=2), "top_logprobs", "invalid_value"),
        (body(n=2), "n", "unsupported_parameter"),
        (body(tools=[{"type": "function"}]), "tools", "unsupported_parameter"),
        (body(response_format={"type": "yaml"}), "response_format.type", "invalid_value"),
        (body(response_format={"type": "json_schema"}), "response_format.json_schema", "invalid_value"),
        (
            body(response_format={"type": "json_schema", "json_schema": {"schema": {}}}),
            "response_format.json_schema.name",
            "invalid_value",
        ),
        (body(constraint={"kind": "labels", "value": "red"}), "constraint", "invalid_value"),
    ],
)
def test_what_is_wrong_is_named(wrong: bytes, param: str, code: str) -> None:
    with pytest.raises(StudioError) as caught:
        parse(wrong)
    status, content = errors.fault(caught.value)
    assert status == 400
    error = content["error"]
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert len(error["message"]) < 400


def test_the_form_of_an_answer_goes_to_the_engine() -> None:
    assert parse(body()).order()["constraint"] is None
    assert parse(body(response_format={"type": "text"})).order()["constraint"] is None
    loose = parse(body(response_format={"type": "json_object"})).order()["constraint"]
    assert loose == {"kind": "json_schema", "value": '{"type": "object"}'}
    named = {"name": "age", "strict": True, "schema": {"type": "integer"}}
    strict = parse(body(response_format={"type": "json_schema", "json_schema": named})).order()["constraint"]
    assert strict == {"kind": "json_schema", "value": '{"type": "integer"}'}
    ours = {"kind": "labels", "value": ["red", "blue"]}
    assert parse(body(constraint=ours)).order()["constraint"] == ours
