"""Tools and calls are written by the model's own template, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data.chat_template import gold_text
from backend.data.dataset import Row, Template, gold_answer, write_split, write_template
from backend.data.encoding import encode_rows
from backend.data.facts import data_facts
from tests.data.test_encoding import conversation, learned
from tests.data.tokenizers import PLAIN, TOOLS, encoder

TEMPLATE = Template(system="Help.")
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def call(**arguments: Any) -> dict[str, Any]:
    return {"type": "function", "id": "1", "function": {"name": "weather", "arguments": arguments}}


ASKED = Row(id="1", input="Rain in León?", output="", tools=[TOOL], tool_calls=[call(place="León")], conversation="c")
ANSWERED = Row(
    id="2",
    input="",
    output="Yes.",
    context=[
        {"role": "user", "content": "Rain in León?"},
        {"role": "assistant", "content": None, "tool_calls": [call(place="León")]},
        {"role": "tool", "content": "rain", "tool_call_id": "1"},
    ],
    tools=[TOOL],
    conversation="c",
)


def test_a_call_is_learned_as_the_template_writes_it(tmp_path: Path) -> None:
    enc = encoder(tmp_path, TOOLS)
    said = '<call>{"name": "weather", "arguments": {"place": "León"}}</call>'
    assert enc.answer_text(TEMPLATE, ASKED) == f"{said}<|end|>"
    assert enc.row_answer_ids(TEMPLATE, ASKED) == enc.ids(f"{said}<|end|>")
    prompt = enc.render(TEMPLATE.prompt(ASKED))
    assert '<tools>\n{"type": "function"' in prompt and prompt.startswith("<|start|>system\nHelp.\n\n<tools>")
    found = encode_rows(enc, TEMPLATE, [ASKED, ANSWERED], 2000, merge=True)
    assert learned(found, enc) == [f"{said}<|end|>|Yes.<|end|>"]
    assert enc.tokenizer.decode(found.items[0]["input_ids"], skip_special_tokens=False) == (
        f"{prompt}{said}<|end|>\n<|start|>tool\nrain<|end|>\n<|start|>assistant\nYes.<|end|>"
    )


def test_arguments_that_are_text_are_read(tmp_path: Path) -> None:
    enc = encoder(tmp_path, TOOLS)
    function = {"name": "weather", "arguments": '{"place": "León"}'}
    text = ASKED.model_copy(update={"tool_calls": [{"type": "function", "id": "1", "function": function}]})
    assert enc.answer_text(TEMPLATE, text) == enc.answer_text(TEMPLATE, ASKED)


@pytest.mark.parametrize("row", [ASKED, ANSWERED, ASKED.model_copy(update={"tool_calls": [], "output": "No."})])
def test_a_template_without_a_place_is_refused(tmp_path: Path, row: Row) -> None:
    with pytest.raises(StudioError) as refused:
        encode_rows(encoder(tmp_path / "toolless", PLAIN), TEMPLATE, [row], 2000)
    assert refused.value.code == "tools.no_place" and "toolless" in refused.value.text()


def test_what_is_right_is_never_empty(tmp_path: Path) -> None:
    enc = encoder(tmp_path, TOOLS)
    assert enc.gold_text(TEMPLATE, ASKED) == '<call>{"name": "weather", "arguments": {"place": "León"}}</call>'
    assert enc.gold_ids(TEMPLATE, ASKED) == enc.row_answer_ids(TEMPLATE, ASKED)
    assert (
        gold_text(TEMPLATE, ASKED, None) == gold_answer(ASKED) == '{"name": "weather", "arguments": {"place": "León"}}'
    )
    pool = ASKED.model_copy(update={"gold": "No tool."})
    assert enc.gold_text(TEMPLATE, pool) == "No tool." and enc.gold_ids(TEMPLATE, pool) == enc.answer_ids("No tool.")


def test_facts_count_tools_and_sequences(tmp_path: Path) -> None:
    write_template(tmp_path, TEMPLATE)
    write_split(tmp_path, "train", [ASKED, ANSWERED, Row(id="3", input="Hello", output="Hi")])
    facts = data_facts(tmp_path)
    assert (facts["rows"]["train"], facts["sequences"], facts["tool_rows"]) == (3, 2, 2)
    assert facts["sequence_answer_chars"] == round((len(gold_answer(ASKED) or "") + len("Yes.") + len("Hi")) / 2, 1)


def test_a_conversation_that_is_there_twice_counts_twice(tmp_path: Path) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    rows = conversation()
    for folder, shown in ((once, rows), (twice, [row for row in rows for _ in range(2)])):
        folder.mkdir()
        write_template(folder, TEMPLATE)
        write_split(folder, "train", shown)
    one, two = data_facts(once), data_facts(twice)
    assert (one["sequences"], two["sequences"]) == (1, 2)
    names = ("sequence_prompt_chars", "sequence_answer_chars")
    assert [one[name] for name in names] == [two[name] for name in names] == [5 + 15, 2 + 2 + 4]


def test_facts_count_the_tools_of_a_prompt(tmp_path: Path) -> None:
    write_template(tmp_path, Template())
    write_split(tmp_path, "train", [ASKED])
    assert data_facts(tmp_path)["prompt_chars"] == len("Rain in León?") + len(json.dumps([TOOL]))
