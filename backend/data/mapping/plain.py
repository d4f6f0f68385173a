"""Rows that are one question and one answer, in columns."""

from __future__ import annotations

from typing import Any

from backend.data.examples import Example
from backend.data.mapping.labels import applying, listed
from backend.data.mapping.setup import Make, Setup, free_answer
from backend.data.mapping.values import Unusable, as_text, parsed, readable, text_or_texts, value_of
from backend.data.row_errors import Record

_SEVERAL = ("answer", "answers", "respuesta", "respuestas", "antwort", "antworten")
"""Columns whose lists are answers of which each will do; elsewhere a list is a value of its own."""


def plain(setup: Setup) -> Make:
    """Input columns and one answer; system prompt and history where they have columns."""
    answer = setup.answer()
    has_context = bool(setup.roles.system or setup.roles.history)

    def make(record: Record) -> list[Example]:
        values = record.values
        text = setup.asked(values)
        output = answer(values)
        return [Example(record.place, text, output, setup.context(values) if has_context else [])]

    return make


def first_of_answers(setup: Setup) -> Make:
    """The same where the answer is a list of equally good ones: the first is learned."""
    make_plain, column = plain(setup), setup.roles.output

    def make(record: Record) -> list[Example]:
        value = value_of(record.values, column)
        if isinstance(value, list) and column.casefold().rpartition(".")[2] in _SEVERAL:
            answer = _first_answer(value, record.place, setup)
            record = Record(record.place, record.values | {column: answer})
        return list(make_plain(record))

    return make


def unanswered(setup: Setup) -> Make:
    """Texts without answers: all are for a teacher."""
    return lambda record: [Example(record.place, setup.asked(record.values))]


def with_shared_context(setup: Setup) -> Make:
    """Questions on a text that other rows may have too: they stay in one split."""
    make_plain, column = plain(setup), setup.context_column()

    def make(record: Record) -> list[Example]:
        found = list(make_plain(record))
        for example in found:
            example.shared = text_or_texts(value_of(record.values, column), column)
        return found

    return make


def pair(setup: Setup) -> Make:
    """Two texts and a label: a row without one of them is a row error."""
    make_shared = with_shared_context(setup)

    def make(record: Record) -> list[Example]:
        for column in setup.roles.input:
            if not as_text(value_of(record.values, column), column).strip():
                raise Unusable("data.input_empty")
        return list(make_shared(record))

    return make


def label_columns(setup: Setup) -> Make:
    """A text and columns of 0 and 1."""

    def make(record: Record) -> list[Example]:
        output = applying(setup.roles.outputs, record.values)
        return [Example(record.place, setup.asked(record.values), output)]

    return make


def label_list(setup: Setup) -> Make:
    """A text and a list of labels."""
    column = setup.roles.output

    def make(record: Record) -> list[Example]:
        output = listed(value_of(record.values, column), column, setup.names.get(column))
        return [Example(record.place, setup.asked(record.values), output)]

    return make


def squad(setup: Setup) -> Make:
    """A text with a question and answers: one, a list of them, or SQuAD's {text, answer_start}; flat, or with paragraphs and
    their questions inside."""
    make_flat = with_shared_context(setup)

    def make(record: Record) -> list[Example]:
        values = record.values
        paragraphs = parsed(values.get("paragraphs"))
        if isinstance(paragraphs, list):
            return _numbered([each for part in paragraphs for each in _questions(part, record.place, setup)])
        if isinstance(values.get("qas"), list):
            return _numbered(_questions(values, record.place, setup))
        given = value_of(values, setup.roles.output)
        answer = _first_answer(parsed(given) if setup.schema == "squad" else given, record.place, setup)
        flat = Record(record.place, values | {setup.roles.output: answer})
        return list(make_flat(flat))

    return make


def _numbered(examples: list[Example]) -> list[Example]:
    if len(examples) > 1:
        for number, example in enumerate(examples, 1):
            example.number = number
    return examples


def _questions(part: Any, place: int, setup: Setup) -> list[Example]:
    if not isinstance(part, dict) or not isinstance(part.get("context"), str) or not isinstance(part.get("qas"), list):
        raise Unusable("data.squad_shape", "context")
    found = []
    for item in part["qas"]:
        if not isinstance(item, dict) or not isinstance(item.get("question"), str):
            raise Unusable("data.squad_shape", "question")
        answer = _first_answer(item.get("answers", item.get("answer")), place, setup)
        text = readable(f"{part['context']}\n\n{item['question']}")
        fields = {"id": str(item["id"])} if item.get("id") else None
        found.append(Example(place, text, answer, shared=part["context"], fields=fields))
    return found


def _first_answer(value: Any, place: int, setup: Setup) -> str | None:
    """The first of the answers that people gave; None where the text holds none."""
    if isinstance(value, dict):
        value = value.get("text", value.get("answer"))
    if isinstance(value, tuple) or hasattr(value, "tolist"):
        value = list(value)
    if isinstance(value, list):
        texts = [item.get("text") if isinstance(item, dict) else item for item in value]
        if len(set(map(str, texts))) > 1:
            setup.notes.add("data.answers_several", place)
        value = texts[0] if texts else None
    return free_answer(value, setup.roles.output)
