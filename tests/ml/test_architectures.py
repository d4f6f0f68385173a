"""Six architectures through the whole chain, on tiny random weights: import, LoRA, chat, merge, INT4 and its answers.

The stages are the real ones. What they start in processes of their own (Olive, the first questions, the asked export) runs
here: loading torch again for each would take most of the time. tests/test_chain.py has the processes, `python -m
benchmarks.architectures` tries all architectures with them, and FP32 too; tests/ml/compression/test_builder_patches.py holds
what the exporter is helped with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.core.schemas import ArtifactView
from backend.models.architectures import table
from benchmarks.architectures import TRAINING, try_row
from tests.ml.shared import patched_builder

pytestmark = pytest.mark.ml

STEPS = ("import", "lora", "chat", "merge", "int4")
EXPORTED = ("llama", "qwen3", "phi3", "gemma2", "mistral-window")


class AskedHere:
    """`backend.checks.asked_model.AskedModel` without a process."""

    def __init__(
        self, view: ArtifactView, bases: dict[str, ArtifactView], scratch: Path, tick: Callable[[], None]
    ) -> None:
        from backend.ml.inference.model_process import ModelWorker

        self.worker = ModelWorker(view, bases)

    def __enter__(self) -> AskedHere:
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.engine.close()

    def loaded(self) -> dict[str, Any]:
        return {"runtime": True, "context": self.worker.engine.context}

    def answer(self, ids: list[int], max_tokens: int) -> Any:
        from backend.checks.asked_model import TimedAnswer

        return TimedAnswer.model_validate(self.worker.answer(list(ids), max_tokens))

    def logits(self, ids: list[int], file: Path) -> None:
        self.worker.logits(list(ids), str(file))

    def runtime_ids(self, text: str) -> list[int]:
        return list(self.worker.tokens(text)["ids"])


@pytest.fixture(autouse=True)
def soon_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough for rows that differ in a word; a Gemma 3 would need the benchmark's 100 steps."""
    monkeypatch.setitem(TRAINING, "max_steps", 40)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The exporter as the studio patches it, the first questions and the export's answers, all in this process."""
    from backend.ml.compression import olive_export, smoke_test
    from backend.stages import parity

    with patched_builder() as builder:

        def build(config: dict[str, Any], work: Path, watch: object, say: object) -> Path:
            model, out = config["input_model"]["model_path"], config["output_dir"]
            options = {"hf_remote": False, "hf_token": "false", "int4_block_size": 32}
            builder.create_model(None, model, out, "int4", "cpu", config["cache_dir"], **options)
            return Path(out)

        def ask(folder: Path, prompts: list[list[int]], tick: object) -> dict[str, object]:
            return smoke_test.ask(folder, prompts)

        monkeypatch.setattr(olive_export, "run_olive", build)
        monkeypatch.setattr(olive_export, "run_smoke_test", ask)
        monkeypatch.setattr(parity, "AskedModel", AskedHere)
        yield


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", EXPORTED)
def test_what_the_exporter_knows_goes_through(name: str, tmp_path: Path) -> None:
    found = try_row(name, tmp_path, until="int4")
    assert found["steps"] == dict.fromkeys(STEPS, "yes"), found


def test_what_the_exporter_lacks_tunes_merges_and_chats_and_is_refused_before_a_start(tmp_path: Path) -> None:
    steps: dict[str, Any] = try_row("gpt2", tmp_path, until="int4")["steps"]
    assert [steps[step] for step in STEPS[:-1]] == ["yes"] * 4, steps
    assert steps["int4"].startswith("arch.no_export") and "onnxruntime-genai" in steps["int4"]


def test_the_table_says_the_same_of_them() -> None:
    rows = {row.name: row.steps for row in table()}
    assert all(rows[name].get("int4", "yes") == "yes" for name in EXPORTED)
    assert rows["gpt2"]["int4"].startswith("arch.no_export")
