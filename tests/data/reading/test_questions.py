"""Where two readings fit the studio asks: it takes none, and names the columns and the flags. Where a person says more, it
goes on."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.errors import StudioError
from tests.data.reading.tables import (
    ESTADOS,
    MOODS,
    answer,
    chat,
    code,
    completion,
    context,
    customer_chat,
    day,
    long,
    number,
    price,
    question,
    reading,
    sharegpt,
    short,
    text,
    texto,
)


def picture(n: int) -> list[dict[str, Any]]:
    part = {"type": "image_url", "image_url": {"url": f"https://example.org/{n}.png"}}
    return [{"role": "user", "content": [part]}, {"role": "assistant", "content": answer(n)}]


AMBIGUOUS: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "two texts without names": ({"a": text, "b": answer}, "data_schema", ["a", "b"]),
    "two labels of the same rank": (
        {"text": text, "sentiment": MOODS, "topic": ["x", "y"]},
        "output",
        ["sentiment", "topic"],
    ),
    "two labels without names": ({"text": text, "k1": MOODS, "k2": ["x", "y"]}, "output", ["k1", "k2"]),
    "Spanish labels": (
        {"texto": texto, "intención": ESTADOS, "sentimiento": ["x", "y"]},
        "output",
        ["intención", "sentimiento"],
    ),
    "category and subcategory": ({"text": text, "main": MOODS, "sub": ["p", "q", "r", "s"]}, "output", ["main", "sub"]),
    "a reply or the intent": ({"message": text, "reply": answer, "intent": MOODS}, "output", ["reply", "intent"]),
    "an answer or its label": ({"question": question, "answer": answer, "label": MOODS}, "output", ["answer", "label"]),
    "a response or its mood": (
        {"text": text, "response": answer, "sentiment": MOODS},
        "output",
        ["response", "sentiment"],
    ),
    "two inputs without names": ({"a": text, "b": answer, "label": MOODS}, "input", ["a", "b"]),
    "two inputs with names": (
        {"message": text, "description": long, "label": MOODS},
        "input",
        ["message", "description"],
    ),
    "three texts": ({"a": text, "b": answer, "c": long}, "data_schema", ["a", "b"]),
    "a text and another": ({"text": text, "zusatz": answer}, "output", ["text", "zusatz"]),
    "title and body alone": ({"title": short, "body": long}, "data_schema", ["title", "body"]),
    "a label that numbers the rows": ({"text": text, "label": code}, "data_schema", ["text"]),
    "a chat and its intent": ({"messages": chat, "intent": MOODS}, "output", ["messages", "intent"]),
    "two conversations": ({"before": chat, "after": sharegpt}, "messages", ["before", "after"]),
    "several labels or the one": (
        {"text": text, "label": MOODS, "loud": [0, 1], "late": [1, 0, 0], "wet": [0, 0, 1]},
        "output",
        ["label", "loud"],
    ),
    "two columns of 0 and 1": (
        {"text": text, "is_spam": [0, 1], "is_urgent": [1, 0, 0]},
        "output",
        ["is_spam", "is_urgent"],
    ),
    "summary and score of a review": (
        {"review": long, "summary": short, "rating": [1, 2, 3]},
        "output",
        ["summary", "rating"],
    ),
    "two queues of a ticket": (
        {"subject": short, "description": long, "priority": ["low", "high"], "group_name": ["billing", "tech"]},
        "output",
        ["priority", "group_name"],
    ),
    "the language of a word": ({"word": short, "language": ["en", "es"]}, "output", ["word", "language"]),
    "preferences without a prompt": ({"chosen": answer, "rejected": short}, "data_schema", ["chosen", "rejected"]),
    "no text at all": ({"id": number, "price": price, "day": day}, "input", ["price", "day"]),
    "one label and no text": ({"id": number, "label": MOODS}, "input", ["label"]),
}


@pytest.mark.parametrize(("columns", "field", "named"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_where_two_readings_fit_it_is_asked(columns: dict[str, Any], field: str, named: list[str]) -> None:
    found = reading(columns)
    assert found.taken is None and found.question and found.question.blocking
    said = found.question.sentence()
    assert found.question.field == field, said
    assert all(name in said for name in named), said
    assert all(one.flags in said for one in found.alternatives[:2]) and "--" in said


def test_there_are_twenty_of_them() -> None:
    assert len(AMBIGUOUS) >= 20


@pytest.mark.parametrize(
    ("columns", "named", "taken"),
    [
        ({"a": text, "b": answer}, {"output": "b"}, (["a"], "b")),
        ({"a": text, "b": answer}, {"input": "b", "output": "a"}, (["b"], "a")),
        ({"text": text, "k1": MOODS, "k2": ["x", "y"]}, {"output": "k2"}, (["text"], "k2")),
        ({"a": text, "b": answer, "label": MOODS}, {"input_columns": ["b", "a"], "output": "label"}, (["b", "a"], "label")),
        ({"a": text, "b": answer, "label": MOODS}, {"input": "b"}, (["b"], "label")),
        ({"message": text, "reply": answer, "intent": MOODS}, {"output": "reply"}, (["message"], "reply")),
        ({"instruction": question, "extra": text, "output": answer}, {"input": "instruction", "details": "extra"},
         (["instruction", "extra"], "output")),
        ({"text": text, "label": MOODS, "rec": number}, {"output": "rec"}, (["text"], "rec")),
        ({"title": short, "body": long, "category": MOODS}, {"input": "body", "output": "category"}, (["body"], "category")),
        ({"article": long, "note": short}, {"input": "article", "output": "note"}, (["article"], "note")),
        ({"messages": chat, "intent": MOODS}, {"data_schema": "conversation-label"}, ([], "intent")),
        ({"text": text, "sentiment": MOODS, "topic": ["x", "y"]}, {"output": "topic"}, (["text"], "topic")),
    ],
)  # fmt: skip
def test_what_a_person_names_wins(columns: dict[str, Any], named: dict[str, Any], taken: tuple[list[str], str]) -> None:
    found = reading(columns, **named)
    assert found.question is None and found.taken
    assert (found.taken.roles.input, found.taken.roles.output) == taken


def test_other_roles_that_a_person_names_are_taken() -> None:
    columns = {"text": text, "label": [0, 1], "words": ["no", "yes"], "shop": lambda n: f"s{n // 3}", "who": "Be kind."}
    found = reading(
        columns, output="label", label_names="words", group="shop", system_column="who", keep_columns=["shop"]
    )
    assert found.taken
    roles = found.taken.roles
    assert (roles.label_names, roles.group, roles.system, roles.carried[0]) == ("words", "shop", "who", "shop")
    assert found.labels == ["no", "yes"]


def test_a_named_row_number_is_taken_and_said() -> None:
    found = reading({"text": text, "label": MOODS, "rec": number}, output="rec")
    assert [note.args["found"] for note in found.notes if note.code == "reading.odd_answer"] == ["row numbers"]


def test_named_conversations_are_taken() -> None:
    found = reading({"before": chat, "after": sharegpt}, messages="after")
    assert found.taken and found.taken.roles.messages == "after" and found.taken.schema_name == "sharegpt"


def test_every_column_that_is_not_there_is_named_at_once() -> None:
    with pytest.raises(StudioError) as caught:
        reading(
            {"text": text, "label": MOODS}, input="q", output="a", group="g", keep_columns=["k"], input_columns=["w"]
        )
    assert {problem.field for problem in caught.value.problems} == {
        "input",
        "output",
        "group",
        "keep_columns",
        "input_columns",
    }
    assert "text, label" in str(caught.value)


def test_an_unknown_schema_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StudioError, match="text_label"):
        reading({"text": text, "label": MOODS}, data_schema="spreadsheet")


def test_a_schema_that_is_not_there_is_said_with_what_it_needs() -> None:
    found = reading({"text": text, "label": MOODS}, data_schema="preference")
    assert found.taken is None and found.question and "prompt, chosen and rejected" in found.question.sentence()


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"image": lambda n: b"\x89PNG\r\n" + bytes([n]), "question": question, "answer": answer}, "reading.pictures"),
        (
            {"image": lambda n: {"bytes": b"\xff\xd8\xff", "path": f"{n}.jpg"}, "label": MOODS, "text": text},
            "reading.pictures",
        ),
        ({"messages": picture}, "reading.picture_parts"),
        ({"tokens": lambda n: short(n).split(), "spans": lambda n: [[0, 5, "PER"]]}, "reading.spans"),
    ],
)
def test_what_can_not_be_learned_is_refused_by_name(columns: dict[str, Any], code: str) -> None:
    found = reading(columns)
    assert found.taken is None and found.question
    assert (
        found.question.code == code and list(columns)[0 if code != "reading.spans" else 1] in found.question.sentence()
    )


def test_pictures_are_left_out_where_the_columns_of_text_are_named() -> None:
    columns = {"image": lambda n: b"\x89PNG\r\n" + bytes([n]), "question": question, "answer": answer}
    found = reading(columns, input="question", output="answer")
    assert found.question is None and "reading.pictures_left_out" in {note.code for note in found.notes}


def test_a_conversation_of_customers_only_is_not_asked_about() -> None:
    assert reading({"messages": customer_chat, "intent": MOODS}).question is None
    assert reading({"prompt": question, "completion": completion}).taken is not None
    assert reading({"context": context, "question": question, "answer": answer}).question is None
