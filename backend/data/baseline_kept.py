"""The quick baseline as numbers or examples in JSON, with a README: what `assets/baseline/answer.py` answers from. A download
holds that script, too."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from backend.data.baseline import MAX_CHARS, MAX_TRAIN, Pair, TextClassifier, example_features, sample

MODEL, README = "model.json", "README.md"
_README = """# {name}

Answers without a language model: {how}, learned from {rows} training rows.

    python answer.py "a text"
    python answer.py < texts.txt     one text a line, one answer a line

Python 3.10 or newer, no packages, no network. From a program:

    from answer import Baseline
    Baseline().answer("a text")

It was measured on rows that it did not learn from: {measured} of the answers were right.
{held}
"""
_HOW: dict[str, str] = {
    "label": "a plain classifier (logistic regression on words and runs of characters)",
    "text": "the answer of the training row that is most alike",
}
_HELD: dict[str, str] = {
    "label": "`model.json` holds words and runs of characters of the training rows.",
    "text": "`model.json` holds the training rows with their answers. Give it only to people who may read them.",
}
_DIGITS = 8
"""Significant digits of a weight: more than a 32-bit number has."""


def keep_baseline(
    train: Sequence[Pair], answer: Literal["label", "text"], folder: Path, name: str, measured: str
) -> None:
    """Write model and README into `folder`. `measured`: the share of right answers, in words."""
    pairs = sample(train, MAX_TRAIN)
    model = _classifier(pairs) if answer == "label" else _examples(pairs)
    text = json.dumps({"chars": MAX_CHARS, **model}, ensure_ascii=False, separators=(",", ":"))
    (folder / MODEL).write_text(text, "utf-8")
    readme = _README.format(name=name, how=_HOW[answer], rows=len(pairs), measured=measured, held=_HELD[answer])
    (folder / README).write_text(readme, "utf-8")


def _classifier(pairs: Sequence[Pair]) -> dict[str, Any]:
    made = TextClassifier([text for text, _ in pairs], [label for _, label in pairs])
    features, weights, intercept = made.parameters()
    return {
        "labels": made.labels,
        "features": _plain(features),
        "weights": [_numbers(line) for line in weights],
        "intercept": _numbers(intercept),
    }


def _examples(pairs: Sequence[Pair]) -> dict[str, Any]:
    features = example_features([text for text, _ in pairs])
    return {"features": _plain(features), "examples": [[text[:MAX_CHARS], reply] for text, reply in pairs]}


def _plain(features: Sequence[tuple[list[str], Sequence[float]]]) -> list[dict[str, Any]]:
    return [{"terms": terms, "idf": _numbers(idf)} for terms, idf in features]


def _numbers(values: Sequence[float]) -> list[float]:
    return [float(f"{float(value):.{_DIGITS}g}") for value in values]
