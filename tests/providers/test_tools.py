"""Tools and calls on the way to an endpoint and back."""

from __future__ import annotations

import json

import pytest

from backend.core.errors import StudioError
from backend.data.dataset import Template, gold_answer
from backend.inference.protocol import Sampling
from backend.providers.budget import max_usage
from backend.providers.protocols import PROTOCOLS
from tests.data.test_tools import ANSWERED, ASKED, TOOL, call
from tests.providers.fake_endpoint import FakeEndpoint
from tests.providers.test_protocols import engine

SHORT = Sampling(max_new_tokens=8)


def test_tools_and_calls_go_out_as_openai_takes_them() -> None:
    messages = Template().prompt(ANSWERED)
    body = PROTOCOLS["openai"].body("m", messages, SHORT, set())
    assert body["tools"] == [TOOL] and all("tools" not in message for message in body["messages"])
    (sent,) = body["messages"][1]["tool_calls"]
    assert json.loads(sent["function"]["arguments"]) == {"place": "León"}
    assert max_usage(messages, 8).prompt > max_usage([{**each, "tools": []} for each in messages], 8).prompt


def test_a_call_that_comes_back_is_compared_with_the_right_one() -> None:
    function = {"name": "weather", "arguments": '{"place":"León"}'}
    said = {"role": "assistant", "content": None, "tool_calls": [{"id": "9", "type": "function", "function": function}]}
    reply = PROTOCOLS["openai"].read({"choices": [{"message": said, "finish_reason": "tool_calls"}]})
    assert reply.text == gold_answer(ASKED)


def test_the_order_of_arguments_does_not_matter() -> None:
    one, other = ({"tool_calls": [call(**dict(pairs))]} for pairs in ([("a", 1), ("b", 2)], [("b", 2), ("a", 1)]))
    assert gold_answer(ASKED.model_copy(update=one)) == gold_answer(ASKED.model_copy(update=other))


def test_a_protocol_that_is_sent_no_tools_says_so() -> None:
    server = FakeEndpoint()
    server.protocol = "anthropic"
    with server.running():
        asking = engine(server)
        assert asking.encode(Template().prompt(ASKED.model_copy(update={"tools": [], "tool_calls": []})))
        with pytest.raises(StudioError) as refused:
            asking.encode(Template().prompt(ASKED))
    assert refused.value.code == "tools.protocol"
