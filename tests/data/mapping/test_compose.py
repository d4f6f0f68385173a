"""Templates of columns: placeholders, escapes, Jinja in its sandbox, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from backend.core.errors import StudioError
from tests.data.mapping.reading_builder import mapped, reading

ROW = {"subject": "Late", "mail body": "Where is it?", "label": "complaint", "meta": {"shop": "Ulm"}}


def asked(user: str, **row: Any) -> str:
    found = mapped([ROW | row], reading("text_label", input=["mail body"], output="label"), user=user)
    assert not found.errors.total
    return found.examples[0].input


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("{subject}\n\n{mail body}", "Late\n\nWhere is it?"),
        ("Subject: {subject}\nText: {input}", "Subject: Late\nText: Where is it?"),
        ('{{"subject": "{subject}"}}', '{"subject": "Late"}'),
        ('{"a": 1} {subject}', '{"a": 1} Late'),
        ("{meta.shop}: {subject}", "Ulm: Late"),
        ("{{ subject | upper }}: {{ row['mail body'] }}", "LATE: Where is it?"),
        ("{% if meta.shop == 'Ulm' %}Ulm! {% endif %}{{ input }}", "Ulm! Where is it?"),
    ],
)
def test_columns_become_the_input(user: str, text: str) -> None:
    assert asked(user) == text


def test_words_around_the_input_stay_a_prompt() -> None:
    found = mapped([ROW], reading("text_label", input=["mail body"], output="label"), user="Q: {input}")
    assert found.examples[0].input == "Where is it?" and found.mapper.template == ""


def test_empty_columns_take_their_words_with_them() -> None:
    assert asked("Subject: {subject}\nText: {mail body}", subject=None) == "Text: Where is it?"


def test_more_input_columns_are_joined() -> None:
    read = reading("text_label", input=["mail body"], output="label")
    found = mapped([ROW], read, input_columns=["subject"])
    assert found.examples[0].input == "Where is it?\n\nLate" and found.mapper.template == "{mail body}\n\n{subject}"


@pytest.mark.parametrize(
    ("user", "code", "word"),
    [
        ("{subjekt}", "data.template_unknown", "subjekt"),
        ("{{ subjekt }}", "data.template_unknown", "subjekt"),
        ("{subject} {label}", "data.template_answer", "label"),
        ("{{ label }}", "data.template_answer", "label"),
        ("{% if %}", "data.template_syntax", "Jinja"),
    ],
)
def test_what_no_template_may_do(user: str, code: str, word: str) -> None:
    with pytest.raises(StudioError, match=word) as caught:
        asked(user)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "user",
    [
        "{{ subject.missing }}",
        "{{ row.label }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9999999 }}",
        "{% for i in range(99999) %}{{ subject }}{{ subject }}{{ subject }}{% endfor %}",
        "{{ subject.append }}{{ subject / 2 }}",
    ],
)
def test_jinja_that_misbehaves_is_a_row_error(user: str) -> None:
    found = mapped([ROW], reading("text_label", input=["mail body"], output="label"), user=user)
    assert found.errors.counts == {"data.template_failed": 1}


def test_columns_that_are_not_there_are_named_at_once() -> None:
    with pytest.raises(StudioError) as caught:
        mapped([ROW], reading("text_label", input=["text", "more"], output="intent", system="s"))
    assert [(problem.field, problem.args["name"]) for problem in caught.value.problems] == [
        ("output", "intent"),
        ("system_column", "s"),
        ("input_columns", "text"),
        ("input_columns", "more"),
    ]
