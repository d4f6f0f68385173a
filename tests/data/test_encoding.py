"""All turns of a conversation in one sequence, where the chat template allows it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from backend.core.errors import StudioError
from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template
from backend.data.encoding import IGNORE_INDEX, EncodedExamples, encode_rows
from tests.data.tokenizers import PLAIN, STRIPS, encoder

TEMPLATE = Template(system="Be kind.")
TURNS = [("Hello", "Hi"), ("Rain?", "No"), ("Sure?", "Yes!")]


def conversation(id: str = "c", turns: list[tuple[str, str]] = TURNS) -> list[Row]:
    rows: list[Row] = []
    context: list[dict[str, str]] = []
    for number, (asked, said) in enumerate(turns):
        rows.append(Row(id=f"{id}{number}", input=asked, output=said, context=[*context], conversation=id))
        context += [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    return rows


def learned(examples: EncodedExamples, encoder: Encoder) -> list[str]:
    """Of every item what carries loss, a bar between spans."""
    found = []
    for item in examples.items:
        spans = [
            list(span) for carries, span in groupby(item["labels"], lambda label: label != IGNORE_INDEX) if carries
        ]
        found.append("|".join(encoder.tokenizer.decode(span, skip_special_tokens=False) for span in spans))
    return found


def test_the_answers_of_a_conversation_are_learned_in_one_sequence(tmp_path: Path) -> None:
    enc = encoder(tmp_path)
    rows = [*conversation(), Row(id="x", input="Alone", output="A")]
    shuffled = [rows[3], rows[2], rows[0], rows[1]]
    found = encode_rows(enc, TEMPLATE, shuffled, 400, merge=True)
    assert learned(found, enc) == ["A<|end|>", "Hi<|end|>|No<|end|>|Yes!<|end|>"]
    assert (found.merged, found.split) == (2, 0)
    whole = found.items[1]
    assert whole["input_ids"] == enc.prompt_ids(TEMPLATE, rows[2]) + enc.answer_ids("Yes!")
    alone = encode_rows(enc, TEMPLATE, rows[:3], 400)
    assert [len(item["labels"]) for item in alone.items] == sorted(len(item["labels"]) for item in alone.items)
    for item in alone.items:  # every answer stands behind the very tokens that it stands behind alone
        begin, end = item["labels"].count(IGNORE_INDEX), len(item["labels"])
        assert whole["input_ids"][:end] == item["input_ids"]
        assert whole["labels"][begin:end] == item["labels"][begin:]


def test_without_merge_every_row_is_an_item_in_order(tmp_path: Path) -> None:
    enc = encoder(tmp_path)
    assert learned(encode_rows(enc, TEMPLATE, conversation(), 400), enc) == ["Hi<|end|>", "No<|end|>", "Yes!<|end|>"]


def test_a_template_that_strips_reasoning_keeps_those_turns_apart(tmp_path: Path) -> None:
    enc = encoder(tmp_path, STRIPS)
    thought = conversation(turns=[("Hello", "Hm</think>Hi"), ("Rain?", "No"), ("Sure?", "Yes!")])
    found = encode_rows(enc, TEMPLATE, thought, 400, merge=True)
    assert learned(found, enc) == ["Hm</think>Hi<|end|>", "No<|end|>|Yes!<|end|>"]
    assert (found.merged, found.split) == (1, 1)


def test_an_answer_that_is_not_the_one_in_the_context_stays_apart(tmp_path: Path) -> None:
    enc = encoder(tmp_path)
    rows = conversation()
    rows[0] = rows[0].model_copy(update={"output": "Bonjour", "gold": "Hi"})
    found = encode_rows(enc, TEMPLATE, rows, 400, merge=True)
    assert learned(found, enc) == ["Bonjour<|end|>", "No<|end|>|Yes!<|end|>"]


def test_a_conversation_over_the_maximum_is_split_and_counted(tmp_path: Path) -> None:
    enc = encoder(tmp_path)
    rows = conversation()
    sizes = [len(enc.prompt_ids(TEMPLATE, row)) + len(enc.answer_ids(row.output or "")) for row in rows]
    found = encode_rows(enc, TEMPLATE, rows, sizes[1], merge=True)
    assert learned(found, enc) == ["Hi<|end|>|No<|end|>", "Yes!<|end|>"]
    assert (found.merged, found.split, found.truncated) == (1, 1, 1)
    assert max(len(item["input_ids"]) for item in found.items) == sizes[1]
    assert found.items[1]["input_ids"] == (enc.prompt_ids(TEMPLATE, rows[2]) + enc.answer_ids("Yes!"))[-sizes[1] :]


def test_two_branches_of_a_conversation_share_their_beginning_only(tmp_path: Path) -> None:
    enc = encoder(tmp_path)
    rows = conversation()[:2]
    rows.append(rows[1].model_copy(update={"id": "c9", "input": "Snow?", "output": "Perhaps"}))
    found = encode_rows(enc, TEMPLATE, rows, 400, merge=True)
    assert sorted(learned(found, enc)) == ["Hi<|end|>|No<|end|>", "Perhaps<|end|>"]


def test_a_conversation_that_the_template_refuses_is_named(tmp_path: Path) -> None:
    strict = "{{ raise_exception('no turn') }}"
    with pytest.raises(StudioError) as refused:
        encode_rows(encoder(tmp_path, strict), TEMPLATE, conversation()[:1], 400)
    assert refused.value.code == "tokens.refused"
    assert "c0" in refused.value.text() and "no turn" in refused.value.text()


def test_a_template_may_mark_what_the_model_says(tmp_path: Path) -> None:
    marked = PLAIN.replace("m['content']", "{% generation %}{{ m['content'] }}{% endgeneration %}", 1)
    marked = marked.replace("{{ '<|start|>' + m['role'] + '\n' + {%", "{{ '<|start|>' + m['role'] + '\n' }}{%")
    marked = marked.replace("{% endgeneration %} + ", "{% endgeneration %}{{ ")
    messages = TEMPLATE.prompt(conversation()[1])
    assert encoder(tmp_path / "a", marked).render(messages) == encoder(tmp_path / "b").render(messages)
