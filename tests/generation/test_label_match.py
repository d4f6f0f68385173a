"""Which label an answer means, and when it means none."""

from __future__ import annotations

import pytest

from backend.generation.label_match import Match, begins_another, match_label
from backend.generation.refusals import is_refusal

LABELS = ["Positive", "Negative", "Very positive", "turn_on", "Ámbar"]


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("Positive", "Positive"),
        ("positive.", "Positive"),
        ("**Positive**", "Positive"),
        ("`Positive`", "Positive"),
        ("“Positive”", "Positive"),
        ("«Negative»!", "Negative"),
        ("VERY  POSITIVE", "Very positive"),
        ("ambar", "Ámbar"),
        ("turn on", "turn_on"),
        ("Label: positive", "Positive"),
        ("**Label:** Positive", "Positive"),
        ("The label is: Negative.", "Negative"),
        ("Etiqueta: “ámbar”", "Ámbar"),
        ('{"label": "positive"}', "Positive"),
        ('```json\n{"category": "Very positive", "confidence": 0.9}\n```', "Very positive"),
        ('["Negative"]', "Negative"),
        ('{"x": "Negative"}', "Negative"),
        ("Positive\n\nThe text praises the food.", "Positive"),
        ("It praises the food, so not bad.\nAnswer: Positive", "Positive"),
    ],
)
def test_a_label_is_read_out_of_its_wrapping(answer: str, label: str) -> None:
    assert match_label(answer, LABELS) == Match(label)


@pytest.mark.parametrize(
    ("answer", "several"),
    [
        ("I think it is positive", False),
        ("not positive", False),
        ("good", False),
        ("Positive or Negative", True),
        ("Positive, Negative", True),
        ('{"label": ["Positive", "Negative"]}', True),
        ("Label: Positive\nLabel: Negative", True),
        ("Positive\nrather than Negative", True),
        ('{"sure": "Positive", "unsure": "Negative"}', True),
        ("", False),
        ("***", False),
    ],
)
def test_nothing_is_guessed_and_two_labels_are_none(answer: str, several: bool) -> None:
    assert match_label(answer, LABELS) == Match(None, several)


def test_labels_that_read_alike_need_the_exact_one() -> None:
    assert match_label("it", ["IT", "it"]) == Match("it") and match_label("It.", ["IT", "it"]).label is None
    assert match_label("C++", ["C", "C++"]) == Match("C++")
    assert match_label("C#", ["C", "Java"]).label is None and match_label("-1", ["1", "2"]).label is None
    assert match_label("NET", [".NET"]).label is None and match_label("- **.NET**", [".NET"]) == Match(".NET")
    assert match_label("+1", ["+1", "-1"]) == Match("+1") and match_label("-1.", ["-1", "1"]) == Match("-1")


def test_a_cut_answer_may_be_the_beginning_of_another_label() -> None:
    assert begins_another("Very", ["Very", "Very positive"]) and not begins_another("Very positive", LABELS)


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't assist with that.",
        "I cannot help with this request.",
        "As an AI language model, I do not have opinions.",
        "Lo siento, pero no puedo ayudarte con eso.",
        "Como modelo de lenguaje, no tengo acceso a esos datos.",
        "I’m unable to provide that information",
        "Lo siento, no puedo.",
        "Sorry, I can't.",
    ],
)
def test_refusals_are_found(answer: str) -> None:
    assert is_refusal(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry to hear that your parcel is late. I have sent a new one.",
        "I can't find your order under this number; could you send it again?",
        "Lo siento mucho. Hemos abonado el importe.",
        "No puedo ver tu pedido con ese número, ¿me lo repites?",
        "Against all odds it works.",
        "",
    ],
)
def test_answers_of_a_service_are_no_refusals(answer: str) -> None:
    assert not is_refusal(answer)
