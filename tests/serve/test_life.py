"""How models come and go: memory, choices, idle time, death of a process, deleted artifacts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.cli import serve_web
from backend.core.errors import StudioError
from backend.core.schemas import Quote, State
from backend.db import tables as t
from backend.files import trash
from backend.inference.protocol import Sampling
from backend.jobs import supervise
from backend.process.guards import EXIT_REFUSED
from backend.serve import memory
from backend.serve.schemas import address_file
from tests.serve.harness import ENDLESS, HELLO, PATIENCE, HostHarness, gone

pytestmark = [pytest.mark.proc, pytest.mark.ml]
TEN = Sampling(max_new_tokens=10)
HUGE = 10**15


def running_job(harness: HostHarness, quoted: int, pid: int | None) -> str:
    quote = Quote(seconds=1, memory_bytes=quoted, disk_bytes=1).model_dump()
    job = t.Job(
        id="j-1", run_id="r-1", stage_id="tune", stage="finetune", params={}, needs=[], queue="cpu", quote=quote
    )
    job.state, job.pid = State.RUNNING, pid
    harness.store.add_run("run", harness.store.project(), {}, [job], "r-1")
    return job.id


def test_as_many_models_stay_loaded_as_memory_holds(harness: HostHarness, onnx: Path) -> None:
    harness.add(onnx, "giant", parameters=HUGE)
    harness.start()
    harness.client.choose("a page", ["one", "two"])
    for name in ("one", "two", "three"):
        harness.ready(name)
    assert harness.names() == {"one", "two", "three"}
    with pytest.raises(StudioError):
        harness.client.load("giant")
    harness.client.load("giant", force=True)
    harness.until(lambda: "three" not in harness.names())
    assert {"one", "two"} <= harness.names(), "what a page has chosen stays, whatever is loaded"
    with pytest.raises(StudioError):
        harness.client.choose("a page", [str(n) for n in range(99)])


def test_idle_models_are_unloaded_and_unload_is_repeatable(harness: HostHarness) -> None:
    harness.start(SLMOPS_CHAT_IDLE_SECONDS="1")
    pid = harness.ready("one").pid
    assert pid
    harness.until(lambda: not harness.names() and gone(pid))
    second = harness.ready("two").pid
    harness.client.unload("two")
    harness.client.unload("two")
    assert harness.names() == set()
    assert second
    harness.until(lambda: gone(second))


def test_a_killed_model_is_failed_and_loads_again(harness: HostHarness) -> None:
    harness.start()
    pid = harness.ready("one").pid
    assert pid
    os.kill(pid, 9)
    failed = harness.reach("one", "failed")
    assert failed.error and failed.error.code == "serve.model_killed" and failed.error.args["signal"] == "SIGKILL"
    assert failed.memory_bytes == 0 and failed.pid is None
    assert harness.ready("one").pid != pid
    assert harness.say("one", TEN)[1].done


def test_a_model_that_can_not_be_loaded_says_why(harness: HostHarness, onnx: Path) -> None:
    damaged = harness.add(onnx, "damaged")
    (damaged.path / "model.onnx").write_bytes(b"no model")
    (harness.add(onnx, "strange").path / "tokenizer_config.json").write_text("{", "utf-8")
    harness.start()
    with pytest.raises(StudioError, match="can't load “the damaged”"):
        harness.say("damaged", TEN)
    failed = harness.reach("damaged", "failed")
    assert failed.error and failed.error.code == "chat.onnx_load"
    harness.client.load("strange")
    strange = harness.reach("strange", "failed")
    assert strange.error and strange.error.code == "models.damaged_json"
    assert strange.error.args["file"] == "tokenizer_config.json"
    (harness.add(onnx, "odd").path / "tokenizer.json").write_text("{", "utf-8")
    harness.client.load("odd")
    odd = harness.reach("odd", "failed")
    assert odd.error and odd.error.code == "core.unexpected"
    assert "Traceback" in (harness.settings.logs / "serve.log").read_text("utf-8")


def test_no_model_outlives_a_killed_host_and_the_next_one_is_found(harness: HostHarness) -> None:
    harness.start()
    pid = harness.ready("one").pid
    assert pid and harness.process
    talk = harness.client.chat("one", HELLO, ENDLESS)
    while not next(talk).text:
        continue
    harness.process.kill()
    harness.process.wait()
    with pytest.raises(StudioError) as caught:
        list(talk)
    assert caught.value.code == "serve.broken"
    harness.until(lambda: gone(pid))
    assert not harness.client.available()
    with pytest.raises(StudioError) as caught:
        harness.client.models()
    assert caught.value.code == "serve.no_host"
    harness.start()
    assert harness.client.models() == []


def test_a_clean_stop_leaves_nothing_behind_and_a_second_host_is_refused(harness: HostHarness) -> None:
    harness.start()
    pid = harness.ready("one").pid
    second = harness.spawn()
    assert second.wait(PATIENCE) == EXIT_REFUSED
    assert "Another model server" in (harness.settings.logs / "serve.log").read_text("utf-8")
    assert harness.client.available()
    talk = harness.client.chat("one", HELLO, ENDLESS)
    while not next(talk).text:
        continue
    assert harness.stop() == 0
    with pytest.raises(StudioError, match="was unloaded to free memory"):  # it did not wait for the end of the answer
        list(talk)
    assert pid
    harness.until(lambda: gone(pid))
    assert not address_file(harness.settings).exists()
    assert "Traceback" not in (harness.settings.logs / "serve.log").read_text("utf-8")


def test_memory_that_a_job_was_promised_is_not_given_away(harness: HostHarness, onnx: Path) -> None:
    harness.add(onnx, "giant", parameters=HUGE)
    job = running_job(harness, HUGE, os.getpid())
    harness.start()
    with pytest.raises(StudioError) as caught:
        harness.client.load("one")
    (problem,) = caught.value.problems
    assert problem.code == "serve.memory_busy"
    assert problem.args["job"] == job and problem.args["stage"] == "finetune" and "TB" in problem.args["missing"]
    assert harness.names() == set()
    harness.client.load("one", force=True)
    harness.reach("one", "ready")
    harness.store.update_job(job, quote=Quote(seconds=1, memory_bytes=1, disk_bytes=1).model_dump())
    with pytest.raises(StudioError) as caught:
        harness.client.load("giant")
    assert caught.value.code == "serve.memory_short"
    assert harness.names() == {"one"}
    harness.ready("two")


def test_a_claim_is_what_a_job_has_not_taken_yet(harness: HostHarness) -> None:
    job = running_job(harness, 2 * 10**12, None)
    assert [claim.outstanding for claim in memory.claims(harness.store)] == [2 * 10**12]
    harness.store.update_job(job, pid=os.getpid())
    (claim,) = memory.claims(harness.store)
    assert claim.held > 10**7 and claim.outstanding == 2 * 10**12 - claim.held
    harness.store.update_job(job, pid=2**22 - 1)  # a process of another machine
    assert memory.claims(harness.store) == []


def test_zero_idle_seconds_keep_a_model_until_its_artifact_is_deleted(harness: HostHarness) -> None:
    harness.start(SLMOPS_CHAT_IDLE_SECONDS="0")
    pid = harness.ready("one").pid
    harness.until(lambda: harness.reach("one", "ready").idle_seconds > 1)
    talk = harness.client.chat("one", HELLO, Sampling(max_new_tokens=50))
    while not next(talk).text:
        continue
    trash.discard(harness.store, "one")
    trash.empty(harness.store, harness.settings, 0)
    harness.until(lambda: not harness.names())
    harness.until(lambda: pid and gone(pid))
    with pytest.raises(StudioError, match="no artifact"):
        harness.client.load("one")


def test_the_studio_keeps_the_host_alive_with_or_without_a_worker(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[list[supervise.Command]] = []

    def keep(commands: list[supervise.Command]) -> int:
        kept.append(list(commands))
        return 0

    monkeypatch.setattr(supervise, "keep_alive", keep)
    for worker in (True, False):
        with pytest.raises(SystemExit) as ended:
            serve_web.studio(worker=worker)
        assert ended.value.code == 0
    assert [[command.name for command in commands] for commands in kept] == [
        ["web", "model host", "worker"],
        ["web", "model host"],
    ]
    assert kept[1][1].log == home / "logs" / "serve.log"
    assert kept[1][1].env["SLMOPS_HOME"] == str(home)
