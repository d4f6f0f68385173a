"""Tasks of free text are recognized by their answers; their figures are those by hand."""

from __future__ import annotations

import pytest

from backend.stats.fields import field_score
from backend.stats.metrics import headline, scores_of
from backend.stats.quantities import is_quantity, same_quantity
from backend.stats.rouge import rouge_1, rouge_2, rouge_l
from backend.stats.scores import Answers
from backend.stats.tasks import Task, recognized


@pytest.mark.parametrize(
    ("answers", "task"),
    [
        (['{"a": 1}', ' {"b": {"c": []}}\n'], "extraction"),
        (['{"a": 1}', "no object"], "qa"),
        (["[1, 2]"], "qa"),
        (["12", "-3.5 kg", "1.200,50 €", "€7", "45%", "3/4"], "maths"),
        (["12", "a dozen"], "qa"),
        (["007"], "qa"),
        (["18:00", "1.2.3"], "qa"),
        (["word " * 20, "word " * 30, "word"], "generation"),
        (["word " * 20, "word", "word"], "qa"),
        ([], "text"),
    ],
)
def test_answers_tell_their_task(answers: list[str], task: Task) -> None:
    assert recognized(answers) == task


def test_fields_are_compared_by_path_and_type() -> None:
    gold = '{"name": "Ana", "age": 3, "tags": ["a", "b"], "at": {"city": "Cádiz"}}'
    said = '{"name": " Ana ", "age": "3", "tags": ["b", "a"], "at": {"city": "Cádiz"}, "more": true}'
    # Right: name and city, of 5 expected and 6 given fields.
    assert field_score(gold, said) == pytest.approx((2 / 6, 2 / 5, 4 / 11))
    assert field_score('{"a": 1, "b": true}', '{"a": 1.0, "b": 1}') == pytest.approx((0.5, 0.5, 0.5))
    assert field_score(gold, f"```{gold}```") == (0, 0, 0)
    found = scores_of("extraction", Answers([gold, gold], [said, "nothing"]))
    assert found["field_f1"] == pytest.approx(2 / 11) and found["json_valid"] == 0.5
    assert found["field_f1_low"] == 0 and found["field_f1_high"] == pytest.approx(4 / 11)


@pytest.mark.parametrize(
    ("expected", "given", "same"),
    [
        ("1,200.5 €", "It costs EUR 1.200,50.", True),
        ("1 200", "1200", True),
        ("3.14", "3.14159", True),
        ("3.14", "3.15", False),
        ("42", "6 times 7 is 42", True),
        ("42", "42, no: 43", False),
        ("42", "42.3", False),
        ("42 km", "42 miles", False),
        ("42 km", "42", False),
        ("42", "42 km", True),
        ("-5", "\u22125", True),
        ("0.75", "3/4", True),
        ("4", "3/4", False),
        ("5", "1e5", False),
        ("4", "version 1.2.4", False),
        ("9", "9" * 5000, False),
        ("7", "none", False),
    ],
)
def test_numbers_are_equal_with_tolerance_and_unit(expected: str, given: str, same: bool) -> None:
    assert is_quantity(expected) and same_quantity(expected, given) == same


@pytest.mark.parametrize(
    ("expected", "given", "figures"),
    [
        ("the cat sat on the mat", "the cat lay on a mat, the cat", (0.7142857142857143, 1 / 6, 0.5714285714285715)),
        ("Mañana lloverá en Cádiz", "En Cádiz mañana lloverá mucho", (0.888888888888889, 4 / 7, 0.4444444444444445)),
        ("a b c d e f", "f e d c b a", (1, 0, 1 / 6)),
        ("one", "one", (1, 0, 1)),
        ("word", "", (0, 0, 0)),
    ],
)
def test_rouge_is_that_of_rouge_score(expected: str, given: str, figures: tuple[float, float, float]) -> None:
    """By rouge-score 0.1.2 with a tokenizer that gives the same words."""
    found = [each(expected, given) for each in (rouge_1, rouge_2, rouge_l)]
    assert found == pytest.approx(figures)


def test_each_task_has_its_first_figure_and_old_evaluations_keep_theirs() -> None:
    pairs = Answers(["the dog sat on the mat today", "7"], ["the dog is on the mat today", "7"])
    found = {task: scores_of(task, pairs) for task in ("text", "qa", "maths", "generation", "extraction")}
    first = {task: headline(figures) for task, figures in found.items()}
    assert first == {
        "text": "token_f1",
        "qa": "token_f1",
        "maths": "numeric_accuracy",
        "generation": "rouge_l",
        "extraction": "field_f1",
    }
    assert headline(["exact_match", "rouge_l"]) == "exact_match" and headline(["train_loss"]) == ""
    assert found["qa"]["answer_in_text"] == found["maths"]["numeric_accuracy"] == 0.5
    assert found["maths"]["numeric_accuracy_low"] == pytest.approx(0.0945, abs=1e-4), "Wilson"
    assert found["text"].keys().isdisjoint({"bleu", "answer_in_text", "field_f1"})


def test_bleu_is_the_product_of_its_precisions() -> None:
    pairs = Answers(["the dog sat on the mat today"], ["the dog is on the mat today"])
    # 6 of 7 words, 4 of 6 pairs, 2 of 5 triples, 1 of 4 quadruples; as long as expected.
    found = scores_of("generation", pairs)
    assert found["bleu"] == pytest.approx((6 / 7 * 4 / 6 * 2 / 5 * 1 / 4) ** 0.25)
    assert 0.6 < found["chrf"] < 0.8


def test_more_figures_of_labels_by_hand() -> None:
    found = scores_of("label", Answers(["a", "a", "a", "b"], ["a", "a", "b", "b"], ["a", "b"], "a"))
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1) / 2) and "micro_f1" not in found
    assert found["mcc"] == pytest.approx((2 * 1 - 1 * 0) / (3 * 2 * 2 * 1) ** 0.5)
    # One answer is no label: 2 right, 1 wrong label less than rows.
    other = scores_of("label", Answers(["a", "a", "b"], ["a", "?", "b"], ["a", "b"], "a"))
    assert other["micro_f1"] == pytest.approx(2 * 2 / (2 * 2 + 0 + 1)) and other["accuracy"] == pytest.approx(2 / 3)
