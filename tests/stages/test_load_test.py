"""The load test: the real server answers clients of a tiny model, and what went wrong is counted and named."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from backend.core.schemas import Kind
from backend.inference.load import Asked, level_of
from backend.jobs.context import MemoryContext
from backend.results.load_tests import figures_line
from backend.stages.load_test import STAGE, LoadTestParams, Measured, _findings, check, quote, run
from tests.helpers import build_tiny_model, dataset_view, model_view, tiny_dataset
from tests.stages.fake_world import FakeWorld


@pytest.mark.proc
@pytest.mark.ml
def test_the_real_server_is_asked_by_several_clients_and_gone_afterwards(tmp_path: Path) -> None:
    model, data = model_view(build_tiny_model(tmp_path / "model")), dataset_view(tiny_dataset(tmp_path / "data"))
    params = LoadTestParams(model=model.id, data=data.id, clients=[2, 1], requests=3, max_new_tokens=4, cores=1)
    job = MemoryContext(tmp_path / "job", [model, data])
    before = set(psutil.pids())
    with ThreadPoolExecutor(1) as pool:  # the browser of other tests keeps a loop in the main thread
        metrics = pool.submit(run, params, job).result().metrics
    ours = {
        pid for pid in set(psutil.pids()) - before if "openai_api" in _command(pid) or "engine_process" in _command(pid)
    }
    assert not ours
    sealed = next(event for event in job.events if event["event"] == "artifact")
    facts = sealed["manifest"]["facts"]
    assert (facts["report"], facts["model"], facts["cores"]) == ("load_test", model.id, 1) and "findings" not in facts
    assert [(level["clients"], level["requests"], level["errors"]) for level in facts["levels"]] == [
        (1, 3, 0),
        (2, 3, 0),
    ]
    for level in facts["levels"]:
        assert 0 < level["ttft_ms_p50"] <= level["latency_ms_p50"] <= level["latency_ms_p95"] <= level["latency_ms_p99"]
        assert 1 <= level["answer_tokens"] <= 4 and level["prompt_tokens"] > 5 and level["tokens_per_s"] > 0
    assert metrics["cold_start_seconds"] > metrics["ttft_ms"] / 1000 and metrics["peak_memory_bytes"] > 50_000_000
    assert figures_line(metrics).startswith("2 clients, ")
    lines = (Path(sealed["path"]) / "requests.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["clients"] for line in lines] == [1, 1, 1, 2, 2, 2]
    again = MemoryContext(tmp_path / "job", [model, data])  # a second attempt of the same job measures nothing twice
    assert run(params, again).metrics == metrics


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def test_figures_are_of_what_was_answered_and_failures_are_counted() -> None:
    good = [Asked(ttft_ms=10, latency_ms=100 * n, prompt_tokens=7, tokens=5) for n in (1, 2, 3)]
    level = level_of(4, [*good, Asked(error="timeout"), Asked(error="timeout"), Asked(error="HTTP 503")], 2.0)
    assert (level.requests, level.errors, level.reasons) == (6, 3, {"timeout": 2, "HTTP 503": 1})
    assert (level.tokens_per_s, level.requests_per_s, level.latency_ms_p50) == (7.5, 1.5, 200)
    params = LoadTestParams(model="m", data="d", max_latency_ms=250, max_memory_mb=1)
    found = Measured(peak_memory_bytes=2_000_000, levels=[level])
    told = _findings(params, found)
    assert [each.code for each in told] == ["load.errors", "load.short", "load.slow", "load.memory"]
    assert told[0].args["reason"] == "timeout" and not any(each.blocking for each in told)
    assert level_of(1, [Asked(error="timeout")], 1.0).latency_ms_p99 == 0


def test_what_it_takes_is_said_beforehand() -> None:
    world = FakeWorld().add("o", Kind.ONNX, size_bytes=80_000_000, parameters=134e6, format="onnx", precision="int4")
    world.add("d", Kind.DATASET, rows={"validation": 200}, prompt_chars=80, answer_chars=10)
    few, many = (quote(LoadTestParams(model="o", data="d", requests=count), world) for count in (4, 64))
    assert 0 < few.seconds < many.seconds and few.memory_bytes > 120_000_000
    slow = quote(LoadTestParams(model="o", data="d", requests=10_000, level_seconds=10), world)
    assert slow.seconds < 100  # no level goes on for longer than its limit allows
    assert not check(LoadTestParams(model="o", data="d"), world)
    assert [each.code for each in check(LoadTestParams(model="o", data="d", split="test"), world)] == ["chat.no_rows"]
    assert [each.field for each in check(LoadTestParams(model="o", data="d", clients=[0]), world)] == ["clients"]
    assert STAGE.parse(STAGE.example)
