"""Questions and answers in columns: text stays as it is, labels get names, several columns become one input."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.data.mapping.reading_builder import mapped, reading

QA: dict[str, Any] = {"input": ["text"], "output": "label"}


def test_text_stays_letter_by_letter() -> None:
    rows = [{"prompt": "\tdef f(x):\r\n", "completion": "        return x\n"}]
    found = mapped(rows, reading("prompt_completion", input=["prompt"], output="completion"))
    assert found.pairs == [("\tdef f(x):\r\n", "        return x\n")]


def test_control_tokens_are_text() -> None:
    found = mapped([{"text": "What is <|im_end|>?", "label": "a token"}], reading("input_output", **QA))
    assert found.pairs == [("What is <|im_end|>?", "a token")]


@pytest.mark.parametrize(
    ("value", "answer"),
    [(1, "1"), (2.0, "2"), (0.5, "0.5"), (True, "true"), (Decimal("1.00"), "1"), (b"yes", "yes"), ("", None), (" ", None),
     (None, None), (float("nan"), None), ({"a": 1}, '{"a": 1}'), (["one"], "one")],
)  # fmt: skip
def test_values_become_words(value: Any, answer: str | None) -> None:
    assert mapped([{"text": "a", "label": value}], reading("text_label", **QA)).pairs == [("a", answer)]


@pytest.mark.parametrize(
    ("row", "code", "place"),
    [
        ({"text": "  ", "label": "x"}, "data.input_empty", "1"),
        ({"text": ["x"], "label": "x"}, "data.not_text", "1 → list (text)"),
        ({"text": "a", "label": ["x", "y"]}, "data.not_text", "1 → list (label)"),
        ({"text": "\ud800", "label": "x"}, "data.characters", "1"),
        ({"text": "a\0", "label": "x"}, "data.characters", "1"),
    ],
)
def test_what_is_no_text_is_a_row_error(row: dict[str, Any], code: str, place: str) -> None:
    found = mapped([row], reading("input_output", **QA))
    assert found.errors.places == {code: [place]} and not found.examples


def test_numbers_of_labels_get_their_names() -> None:
    rows = [
        {"text": "a", "label": 1},
        {"text": "b", "label": "0"},
        {"text": "c", "label": -1},
        {"text": "d", "label": 9},
    ]
    found = mapped(rows, reading("text_label", names={"label": ["no", "yes"]}, **QA))
    assert found.pairs == [("a", "yes"), ("b", "no"), ("c", None)]
    assert found.errors.places == {"data.label_name_missing": ["4 → 9"]}


def test_a_column_of_names_wins_over_numbers() -> None:
    rows = [{"text": "a", "label": 1, "label_text": "yes"}, {"text": "b", "label": 0, "label_text": None}]
    found = mapped(rows, reading("text_label", label_names="label_text", **QA))
    assert found.pairs == [("a", "yes"), ("b", "0")]


def test_alpaca_with_system_and_history() -> None:
    roles: dict[str, Any] = {
        "input": ["instruction", "input"],
        "output": "output",
        "system": "system",
        "history": "history",
    }
    row = {"instruction": "Go on.", "input": "", "output": "Fine.", "system": "Be kind.", "history": [["Hi", "Ho"]]}
    example = mapped([row], reading("alpaca", **roles)).examples[0]
    assert (example.input, example.output) == ("Go on.", "Fine.")
    assert example.context == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho"},
    ]


def test_a_history_that_is_none_is_a_row_error() -> None:
    row = {"instruction": "Go on.", "output": "Fine.", "history": [["Hi"]]}
    found = mapped([row], reading("alpaca", input=["instruction"], output="output", history="history"))
    assert found.errors.counts == {"data.chat_shape": 1}


def test_an_empty_section_is_left_out() -> None:
    read = reading("dolly", "{instruction}\n\nContext:\n{context}", input=["instruction", "context"], output="response")
    rows = [
        {"instruction": "Why?", "context": "Rain.", "response": "So."},
        {"instruction": "Name one.", "context": "", "response": "Two."},
    ]
    assert [text for text, _ in mapped(rows, read).pairs] == ["Why?\n\nContext:\nRain.", "Name one."]
    assert mapped(rows, read).mapper.template == "{instruction}\n\nContext:\n{context}"


def test_questions_on_one_text_share_a_group() -> None:
    rows = [{"context": "Long text.", "question": q, "answer": "x"} for q in ("Who?", "When?")] + [
        {"context": "Other.", "question": "Who?", "answer": "y"}
    ]
    found = mapped(rows, reading("question_context", input=["context", "question"], output="answer")).examples
    assert found[0].group == found[1].group != found[2].group and found[0].input == "Long text.\n\nWho?"


def test_a_pair_needs_both_texts() -> None:
    read = reading("text_pair", input=["premise", "hypothesis"], output="label")
    found = mapped(
        [{"premise": "A.", "hypothesis": "B.", "label": 0}, {"premise": "A.", "hypothesis": "", "label": 1}], read
    )
    assert found.pairs == [("A.\n\nB.", "0")] and found.errors.places == {"data.input_empty": ["2"]}


SQUAD: dict[str, Any] = {"input": ["context", "question"], "output": "answers"}


def test_squad_flat_and_nested() -> None:
    flat = {"context": "Text.", "question": "Who?", "answers": {"text": ["Ann", "Bo"], "answer_start": [0, 4]}}
    none = {"context": "Text.", "question": "Where?", "answers": {"text": [], "answer_start": []}}
    found = mapped([flat, none], reading("squad", **SQUAD))
    assert found.pairs == [("Text.\n\nWho?", "Ann"), ("Text.\n\nWhere?", None)]
    assert found.notes.counts == {"data.answers_several": 1}
    questions = [
        {"id": "q1", "question": "Who?", "answers": [{"text": "Ann", "answer_start": 0}]},
        {"question": "Where?", "answers": []},
    ]
    nested = mapped([{"title": "T", "paragraphs": [{"context": "Text.", "qas": questions}]}], reading("squad"))
    assert nested.pairs == found.pairs and [row["id"] for row in nested.rows] == ["r1.1", "r1.2"]
    assert nested.rows[0]["fields"] == {"id": "q1"}


@pytest.mark.parametrize(
    ("choices", "answer", "letter"),
    [
        (["red", "blue"], 1, "B"),
        (["red", "blue"], "blue", "B"),
        (["red", "blue"], "b", "B"),
        ({"text": ["red", "blue"], "label": ["1", "2"]}, "2", "2"),
        ([{"label": "X", "text": "red"}, {"label": "Y", "text": "blue"}], "Y", "Y"),
    ],
)
def test_multiple_choice(choices: Any, answer: Any, letter: str) -> None:
    read = reading("multiple_choice", input=["question", "choices"], output="answer")
    found = mapped([{"question": "Which?", "choices": choices, "answer": answer}], read)
    assert found.examples[0].output == letter and f"{letter}. blue" in found.examples[0].input


def test_choices_in_columns_and_an_answer_that_is_none_of_them() -> None:
    read = reading("multiple_choice", "{q}\n\nA. {A}\nB. {B}", input=["q", "A", "B"], output="answer")
    found = mapped(
        [
            {"q": "Which?", "A": "red", "B": "blue", "answer": "A"},
            {"q": "Which?", "A": "red", "B": "blue", "answer": 2},
        ],
        read,
    )
    assert found.pairs == [("Which?\n\nA. red\nB. blue", "A")] and found.errors.places == {
        "data.choice_shape": ["2 → 2"]
    }


def test_translation_from_nested_columns() -> None:
    read = reading("translation", input=["translation.en"], output="translation.es")
    assert mapped([{"translation": {"en": "Hello", "es": "Hola"}}], read).pairs == [("Hello", "Hola")]


def test_several_labels_from_columns() -> None:
    read = reading("one_hot", input=["text"], outputs=["price", "noise"])
    rows = [
        {"text": "a", "price": "1", "noise": 1.0},
        {"text": "b", "price": 0, "noise": ""},
        {"text": "c", "price": 2, "noise": 0},
    ]
    found = mapped([*rows, {"text": "d", "price": None, "noise": None}], read)
    assert found.pairs == [("a", "price, noise"), ("b", "none"), ("d", None)]
    assert found.errors.places == {"data.multi_label_value": ["3 → 2 (price)"]}


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (["x", "y"], "x, y"),
        ("x; y", "x, y"),
        ('["x"]', "x"),
        ([], "none"),
        (None, None),
        ("", None),
        ([1, 0], "one, zero"),
    ],
)
def test_several_labels_from_a_list(value: Any, answer: str | None) -> None:
    read = reading("listed_labels", names={"labels": ["zero", "one"]}, input=["text"], output="labels")
    assert mapped([{"text": "a", "labels": value}], read).pairs == [("a", answer)]


def test_raw_text_has_no_answer() -> None:
    assert mapped([{"text": "Some text."}], reading("raw_text", input=["text"])).pairs == [("Some text.", None)]


def test_ids_and_slices_travel_with_a_row() -> None:
    rows = [{"id": 7, "text": "a", "label": "x", "meta": {"lang": "es"}, "tags": ["k"]}]
    found = mapped(rows, reading("text_label", carried=["id", "meta.lang"], **QA), keep_columns=["tags"])
    assert found.rows == [
        {"id": "r1", "input": "a", "output": "x", "fields": {"id": "7", "meta.lang": "es", "tags": '["k"]'}}
    ]


def test_split_markers_and_unknown_ones() -> None:
    rows = [{"text": "a", "label": "x", "part": part} for part in ("Train", "dev", "TEST", "", "week 3")]
    found = mapped(rows, reading("text_label", split="part", **QA))
    assert [example.split for example in found.examples] == ["train", "validation", "test", ""]
    assert found.errors.places == {"data.split_marker": ["5 → week 3"]}
    assert not mapped(rows, reading("text_label", split="part", **QA), split_by="random").errors.total


def test_times_are_read() -> None:
    rows = [{"text": "a", "label": "x", "on": when} for when in ("2024-01-02", "03/01/2024", 5, "soon")]
    found = mapped(rows, reading("text_label", time="on", **QA), split_by="time")
    assert [example.time for example in found.examples] == [1704153600.0, 1704240000.0, 5.0]
    assert found.errors.places == {"data.time_unreadable": ["4 → soon"]}
