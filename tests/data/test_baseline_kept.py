"""What is kept of the quick baseline answers as the baseline did, with the standard library alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from backend.core.schemas import Kind
from backend.data.baseline import Pair, answers_by_method
from backend.data.baseline_kept import keep_baseline
from backend.files.downloads import as_zip
from tests.helpers import view

THINGS = ("kettle", "radio", "lamp", "tent", "sofa", "mat", "niño", "Straße", "電気")
ASKS = {"repair": "my {} {} is broken", "order": "I want another {} {}", "ask": "where is the {} {}?"}
ODD = ["", "!!!", "q", "completely other words", "MY RED KETTLE", "  two   spaces ", "x" * 3000]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


def pairs(labels: int, colours: tuple[str, ...]) -> list[Pair]:
    return [
        (text.format(colour, thing), label)
        for colour in colours
        for thing in THINGS
        for label, text in list(ASKS.items())[:labels]
    ]


def told(folder: Path, texts: list[str]) -> list[str]:
    """By a Python that sees no package, from the download."""
    made = view(folder, Kind.REPORT, "report-b", kept="classifier")
    packed = folder.parent / "download.zip"
    packed.write_bytes(b"".join(as_zip(made)))
    with ZipFile(packed) as archive:
        archive.extractall(folder.parent / "there")
    (script,) = (folder.parent / "there").glob("*/answer.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), *texts],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("labels", [1, 2, 3])
def test_the_kept_classifier_answers_as_the_baseline(kept: Path, labels: int) -> None:
    train = pairs(labels, ("red", "blue", "old"))
    texts = [text for text, _ in pairs(3, ("green", "très vieux"))] + ODD
    keep_baseline(train, "label", kept, "mails baseline", "98 %")
    assert told(kept, texts) == answers_by_method(train, texts, "label")["classifier"]
    assert "mails baseline" in (kept / "README.md").read_text("utf-8")


def test_the_kept_examples_answer_as_the_nearest_row(kept: Path) -> None:
    train = [(text, f"answer {n} to {label}") for n, (text, label) in enumerate(pairs(3, ("red", "blue", "old")))]
    texts = [text.replace("broken", "out of order") for text, _ in train] + ODD
    keep_baseline(train, "text", kept, "faq baseline", "40 %")
    assert told(kept, texts) == answers_by_method(train, texts, "text")["nearest"]
    assert "only to people who may read them" in (kept / "README.md").read_text("utf-8")
