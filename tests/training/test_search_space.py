"""Ranges as they are written: what is understood, what is refused and where."""

from __future__ import annotations

import pytest

from backend.stages.distill import DistillParams
from backend.stages.finetune import FinetuneParams
from backend.training.search_space import Range, parse_settings, parse_space


def test_ranges_and_choices_take_the_type_of_their_field() -> None:
    lines = [
        "learning_rate=1e-4..1e-2 log",
        "rank=4..32",
        "epochs = 1..3",
        "schedule=cosine|linear",
        "qlora=true|false",
    ]
    ranges, problems = parse_space(lines, FinetuneParams)
    assert problems == []
    assert ranges == [
        Range("learning_rate", 1e-4, 1e-2, log=True),
        Range("rank", 4, 32, whole=True),
        Range("epochs", 1, 3),
        Range("schedule", choices=("cosine", "linear")),
        Range("qlora", choices=(True, False)),
    ]
    assert [each.middle for each in ranges] == [pytest.approx(1e-3), 18, 2.0, "linear", False]
    assert ranges[1].ends == (4, 32) and isinstance(ranges[1].ends[0], int)
    assert ranges[0].holds(1e-3) and not ranges[0].holds(0.1) and not ranges[1].holds(True)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("rank", "search.form"),
        ("rank=8", "search.form"),
        ("epochs=4..1", "search.form"),
        ("rank=1.5..4", "search.form"),
        ("dropout=0..0.5 log", "search.form"),
        ("learning_rate=1e-4..2", "value.at_most"),
        ("rank=8|x", "value.whole"),
        ("schedule=cosine|square", "value.choice"),
        ("model=a|b", "search.unknown"),
        ("name=a|b", "search.unknown"),
        ("warmth=1..2", "search.unknown"),
    ],
)
def test_what_no_training_takes_is_refused_at_its_line(line: str, code: str) -> None:
    ranges, problems = parse_space(["dropout=0..0.1", line], FinetuneParams)
    assert [each.name for each in ranges] == ["dropout"]
    assert [(problem.code, problem.field) for problem in problems] == [(code, "space.1")]


def test_a_field_has_one_range() -> None:
    assert [each.code for each in parse_space(["rank=2..4", "rank=8|16"], FinetuneParams)[1]] == ["search.twice"]


def test_fixed_values() -> None:
    values, problems = parse_settings(
        ["method=sequence", "learning_rate=5e-4", "train_embeddings=never"], DistillParams
    )
    assert values == {"method": "sequence", "learning_rate": 5e-4, "train_embeddings": "never"} and problems == []
    _, problems = parse_settings(["batch_size=0", "what", "student=a"], DistillParams)
    assert [(each.code, each.field) for each in problems] == [
        ("value.at_least", "settings.0"),
        ("search.form", "settings.1"),
        ("search.unknown", "settings.2"),
    ]
