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

from backend.core.settings import Settings
from backend.db import Store
from tests.helpers import build_tiny_model

pytestmark = [pytest.mark.ml, pytest.mark.timeout(600)]

FULL = {"epochs": 24, "batch_size": 8, "max_length": 64, "learning_rate": 0.004, "train_embeddings": "always"}
RECIPE: dict[str, Any] = {
    "name": "tiny chain",
    "seed": 3,
    "stages": [
        {"id": "data", "stage": "dataset", "params": {"source": "", "labelled_rows": 60}},
        {"id": "base", "stage": "distill", "params": {"student": "tiny", "data": "${data}"} | FULL},
        {"id": "tuned", "stage": "finetune", "params": {"model": "${base}", "data": "${data}", "rank": 4, "epochs": 1}},
        {"id": "answers", "stage": "teacher", "params": {"model": "${tuned}", "data": "${data}"}},
        {
            "id": "cut",
            "stage": "prune",
            "params": {"model": "${tuned}", "data": "${answers}", "keep_layers": 1, "vocabulary_size": 256},
        },
        {"id": "student", "stage": "distill", "params": {"student": "${cut}", "data": "${answers}"} | FULL},
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


def run(recipe: Path, *arguments: str) -> dict[str, Any]:
    """The last event of a run that has to succeed."""
    done = slmops("run", str(recipe), "--json", *arguments)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert last["event"] == "result" and last["status"] == "succeeded"
    return last


def save(file: Path, stages: list[dict[str, Any]]) -> Path:
    file.write_text(yaml.safe_dump(RECIPE | {"stages": stages}), "utf-8")
    return file


@pytest.fixture
def imported(tmp_path: Path, home: Path) -> None:
    done = slmops("models", "import", str(build_tiny_model(tmp_path / "model", hidden=64)), "--name", "tiny")
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("imported")
def test_a_recipe_runs_from_a_csv_to_a_package(tmp_path: Path) -> None:
    recipe = save(tmp_path / "recipe.yaml", RECIPE["stages"])
    result = run(recipe, "--set", f"data.source={write_csv(tmp_path / 'colours.csv')}")
    assert set(result["artifacts"]) == {stage["id"] for stage in RECIPE["stages"]}
    for name in CONTRACT:
        assert isinstance(result["metrics"]["eval_int4"][name], (int, float)), name
    assert result["metrics"]["eval"]["accuracy"] > result["metrics"]["eval"]["majority_baseline"]
    store = Store(Settings().store_url)
    package = result["artifacts"]["package"]["id"]
    trace(store, package, {"data", "base", "tuned", "answers", "cut", "student", "int4"}, result["artifacts"])


@pytest.mark.usefixtures("imported")
def test_a_run_saved_as_a_recipe_gives_the_same_data_and_the_same_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_csv(tmp_path / "colours.csv")
    monkeypatch.chdir(tmp_path)
    data, base, *_ = json.loads(json.dumps(RECIPE["stages"]))
    asked = {"model": "${base}", "data": "${data}", "cost_prompts": 2, "max_invalid": 1, "max_cut_off": 1}
    scores = {"id": "eval", "stage": "evaluate", "params": asked}  # of a model that learned nothing
    first = run(
        save(tmp_path / "r.yaml", [data, base, scores]), "--set", "data.source=colours.csv", "--set", "base.epochs=2"
    )
    (tmp_path / "again.yaml").write_text(slmops("jobs", "recipe", first["run"]).stdout, "utf-8")
    monkeypatch.chdir("/")
    second = run(tmp_path / "again.yaml")
    store = Store(Settings().store_url)
    for id_ in ("data", "base"):
        digests = [store.artifact(result["artifacts"][id_]["id"]).digest for result in (first, second)]
        assert digests[0] == digests[1], id_
    for quality in ("accuracy", "macro_f1", "exact_match"):
        assert first["metrics"]["eval"][quality] == second["metrics"]["eval"][quality]


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
