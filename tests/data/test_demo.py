"""The demo is real, balanced, deterministic and split by template."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest

from backend.data import demo
from backend.data.demo import demo_examples, digest
from backend.data.demo_slot_values import LANGUAGES
from backend.data.params import DatasetParams
from backend.data.prepare import prepare
from backend.stages.dataset import STAGE


def test_size_classes_and_balance() -> None:
    rows = demo_examples()
    counts = Counter(row.output for row in rows)
    assert 8000 < len(rows) < 12000 and len(counts) >= 20
    assert max(counts.values()) < len(rows) * 0.1 and min(counts.values()) >= 50
    assert sum(map(len, (row.input for row in rows))) / len(rows) < 40


def test_a_sentence_has_one_intent_and_no_open_place() -> None:
    rows = demo_examples()
    assert len({row.input for row in rows}) == len(rows)
    assert not [row.input for row in rows if set("{}<>[]()|") & set(row.input)]


def test_both_languages() -> None:
    inputs = {row.input for row in demo_examples()}
    assert any("kitchen" in text for text in inputs) and any("cocina" in text for text in inputs)
    assert not any("cocina" in row.input for row in demo_examples(("en",)))


def test_deterministic_by_seed() -> None:
    first = digest(demo_examples(seed=1))
    demo._examples.cache_clear()
    assert digest(demo_examples(seed=1)) == first != digest(demo_examples(seed=2))


@pytest.mark.parametrize(
    "params",
    [{}, {"languages": ["en"], "near_duplicates": 0.0}, {"max_rows": 600}, {"labelled_rows": 400, "max_rows": 2400}],
)
def test_templates_do_not_straddle_splits(params: dict[str, object], tmp_path: Path) -> None:
    prepared = prepare(STAGE.parse(params), 0, tmp_path)
    languages = tuple(map(str, params.get("languages", LANGUAGES)))  # type: ignore[call-overload]
    group_of = {row.input: row.group for row in demo_examples(languages)}
    groups = {name: {group_of[row["input"]] for row in prepared.rows(name)} for name in prepared.numbers}
    assert not (groups["train"] | groups["pool"]) & groups["test"] and not groups["train"] & groups["validation"]
    for name in ("train", "test"):
        assert {row["output"] for row in prepared.rows(name)} == set(prepared.template.labels)
    assert prepared.warnings == []


def test_a_sentence_that_two_intents_claim_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    def intent(*sentences: str) -> dict[str, object]:
        return {"data": [{"sentences": list(sentences)}]}

    content = {
        "lists": {},
        "expansion_rules": {},
        "intents": {"Go": intent("go (on|now)"), "Wait": intent("go on", "wait")},
    }
    monkeypatch.setattr(demo, "_load", lambda language: content)
    monkeypatch.setattr(demo, "_MIN_TEMPLATES", 1)
    demo._examples.cache_clear()
    drawn = {row.input: row.output for row in demo_examples(("en",))}
    demo._examples.cache_clear()
    assert drawn == {"go now": "Go", "wait": "Wait"}


def test_the_demo_is_divided_as_ever(tmp_path: Path) -> None:
    """By template, whatever near duplicates there are: the documented figures rest on these very splits."""
    found = prepare(DatasetParams(languages=["es"]), 0, tmp_path)
    ids = {name: [row["id"] for row in found.rows(name)] for name in ("test", "train", "validation")}
    assert {name: len(rows) for name, rows in ids.items()} == {"test": 543, "train": 4395, "validation": 544}
    assert sha256(repr(ids).encode()).hexdigest()[:16] == "fe2c0dbd2ee669ad"
