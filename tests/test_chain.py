"""The whole chain by real processes on a tiny random model: `slmops run` from a CSV to a package, twice."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.settings import Settings
from backend.store import Store
from tests.helpers import build_tiny_model

pytestmark = [pytest.mark.ml, pytest.mark.timeout(600)]

FULL = {"epochs": 10, "batch_size": 8, "max_length": 64, "learning_rate": 0.004, "train_embeddings": True}
RECIPE = {
    "name": "tiny chain",
    "seed": 3,
    "stages": [
        {"id": "data", "stage": "dataset", "params": {"source": "", "labelled_rows": 60}},
        {"id": "base", "stage": "distill", "params": {"student": "tiny", "data": "${data}"} | FULL},
        {"id": "tuned", "stage": "finetune", "params": {"model": "${base}", "data": "${data}", "rank": 4, "epochs": 1}},
        {"id": "answers", "stage": "teacher", "params": {"model": "${tuned}", "data": "${data}"}},
        {
            "id": "student",
            "stage": "distill",
            "params": {"student": "${tuned}", "keep_layers": 1, "data": "${answers}"} | FULL,
        },
        {"id": "int4", "stage": "quantize", "params": {"model": "${student}", "precision": "int4", "block_size": 32}},
        {"id": "eval", "stage": "evaluate", "params": {"model": "${student}", "data": "${data}", "cost_prompts": 2}},
        {"id": "eval_int4", "stage": "evaluate", "params": {"model": "${int4}", "data": "${data}", "cost_prompts": 2}},
        {"id": "package", "stage": "package", "params": {"model": "${int4}", "evaluations": ["${eval_int4}"]}},
    ],
}
CONTRACT = (
    "exact_match",
    "accuracy",
    "macro_f1",
    "ttft_ms",
    "decode_tokens_per_s",
    "latency_ms_p50",
    "latency_ms_p95",
    "peak_memory_bytes",
    "size_bytes",
    "parameters",
)


def slmops(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from backend.cli import main; main()", *arguments]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.run(command, capture_output=True, text=True, timeout=500, env=env, check=False)


def write_csv(file: Path) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        for number in range(150):
            label = ("red", "green", "blue")[number % 3]
            writer.writerow([f"{label} item {number}", label])
    return file


def run_chain(tmp_path: Path) -> list[dict[str, Any]]:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(RECIPE), "utf-8")
    source = write_csv(tmp_path / "colours.csv")
    done = slmops("run", str(recipe), "--set", f"data.source={source}", "--json")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return [json.loads(text) for text in done.stdout.splitlines()]


def test_a_recipe_runs_from_a_csv_to_a_package_and_repeats_itself(tmp_path: Path) -> None:
    imported = slmops("models", "import", str(build_tiny_model(tmp_path / "model", hidden=64)), "--name", "tiny")
    assert imported.returncode == 0, imported.stderr
    first, second = run_chain(tmp_path)[-1], run_chain(tmp_path)[-1]
    assert first["event"] == "result" and first["status"] == "succeeded"
    assert set(first["artifacts"]) == {stage["id"] for stage in RECIPE["stages"]}
    for name in CONTRACT:
        assert isinstance(first["metrics"]["eval_int4"][name], (int, float)), name
    for quality in ("accuracy", "macro_f1", "exact_match"):
        assert first["metrics"]["eval"][quality] == second["metrics"]["eval"][quality]
    store = Store(Settings().store_url)
    digests = [store.artifact(result["artifacts"]["data"]["id"]).digest for result in (first, second)]
    assert digests[0] == digests[1]
    trace(
        store, first["artifacts"]["package"]["id"], {"data", "tuned", "answers", "student", "int4"}, first["artifacts"]
    )


def trace(store: Store, package: str, wanted: set[str], artifacts: dict[str, dict[str, str]]) -> None:
    """Every wanted stage's artifact is an ancestor of the package."""
    seen: set[str] = set()
    todo = [package]
    while todo:
        current = todo.pop()
        seen.add(current)
        todo += store.artifact(current).parents
    assert {artifacts[name]["id"] for name in wanted} <= seen


def test_a_recipe_that_is_wrong_starts_nothing_and_says_all_at_once(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    content = json.loads(json.dumps(RECIPE))
    content["stages"][1]["params"]["rnak"] = 4
    recipe.write_text(yaml.safe_dump(content), "utf-8")
    done = slmops("run", str(recipe), "--set", "data.source=/nowhere.csv", "--set", "z.a=1")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "rnak" in done.stderr and "z.a" in done.stderr
    assert Store(Settings().store_url).runs() == []
