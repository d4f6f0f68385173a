"""Architectures through the whole chain, on tiny random weights: import, LoRA, chat, merge, INT4 and its answers.

`python -m benchmarks.architectures` tries all of them, and FP32 too; tests/ml/compression/test_builder_patches.py holds what
the exporter is helped with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.models.architectures import table
from benchmarks.architectures import try_row

pytestmark = pytest.mark.ml

STEPS = ("import", "lora", "chat", "merge", "int4")


@pytest.mark.parametrize("name", ["llama"])
def test_what_the_exporter_knows_goes_through(name: str, tmp_path: Path) -> None:
    found = try_row(name, tmp_path, until="int4")
    assert found["steps"] == dict.fromkeys(STEPS, "yes"), found


def test_what_the_exporter_lacks_tunes_merges_and_chats_and_is_refused_before_a_start(tmp_path: Path) -> None:
    steps: dict[str, Any] = try_row("gpt2", tmp_path, until="int4")["steps"]
    assert [steps[step] for step in STEPS[:-1]] == ["yes"] * 4, steps
    assert steps["int4"].startswith("arch.no_export") and "onnxruntime-genai" in steps["int4"]


def test_the_table_says_the_same_of_them() -> None:
    rows = {row.name: row.steps for row in table()}
    assert all(rows[name].get("int4") == "yes" for name in ("llama", "qwen3", "phi3", "mistral-window"))
    assert rows["gpt2"]["int4"].startswith("arch.no_export")
