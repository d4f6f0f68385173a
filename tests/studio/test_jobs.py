"""The page Jobs: what is at work, what waits and in which order, the history with its filters, and the drawer of one job."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import streamlit as st

from backend.core.schemas import State
from backend.db import tables as t
from backend.jobs.scheduling import start_order
from studio.ui.jobs import page
from studio.ui.jobs import table as jobtable
from studio.ui.shared.job_card.resource_usage import usage
from tests import fake_cards
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    """What the table of ended jobs was given last."""
    found: list[dict[str, str]] = []

    def table(*, data: dict[str, Any], **_: object) -> SimpleNamespace:
        found[:] = data["rows"]
        return SimpleNamespace(job=None, run=None, chosen=None)

    monkeypatch.setattr(jobtable, "_TABLE", table)
    yield found


def three(builder: StudioBuilder, other: str = "default") -> None:
    """A run at work, whose last stage waits; one that waits; one that failed; one that is done."""
    builder.run("first", ("finetune", State.RUNNING), ("evaluate", State.WAITING), minutes_ago=8)
    builder.store.update_job("r-first-evaluate", needs=["finetune"])
    builder.run("second", ("finetune", State.WAITING), minutes_ago=6)
    builder.run("bad", ("distill", State.FAILED), minutes_ago=60, error={"code": "core.memory_out", "args": {}})
    builder.run("good", ("quantize", State.SUCCEEDED), minutes_ago=90, project=other)
    builder.studio.edit_run("r-good", tags=["España"])


def order(builder: StudioBuilder) -> list[str]:
    return [job.id for job in start_order(builder.studio.jobs.open_jobs())]


@pytest.mark.parametrize("language", ["en", "es"])
def test_empty_page(show: Show, listed: list[dict[str, str]], language: str) -> None:
    at = show("jobs", language)
    assert at.title[0].value == ("Jobs" if language == "en" else "Trabajos")
    assert ("No finished jobs yet." if language == "en" else "Aún no hay trabajos terminados.") in words(at)


@pytest.mark.parametrize(
    ("language", "said", "row"),
    [
        ("en", ["Running", "2 queued", "Waiting for Fine-tune", "No worker"], ("Distill", "bad", "Failed")),
        ("es", ["En marcha", "2 en cola", "Esperando a Ajuste fino"], ("Destilación", "bad", "Fallido")),
    ],
)
def test_all_groups(
    show: Show,
    builder: StudioBuilder,
    listed: list[dict[str, str]],
    language: str,
    said: list[str],
    row: tuple[str, ...],
) -> None:
    three(builder, "Mails")
    at = show("jobs", language)
    for word in said:
        assert word in words(at), word
    assert [each["name"] for each in listed] == ["bad"]
    assert (listed[0]["stage"], listed[0]["name"], listed[0]["state"]) == row
    if language == "es":
        return
    at.session_state["others_jobs"] = True
    at.run()
    assert [each["name"] for each in listed[-1:]] == ["good"], "in the fold of other projects"
    assert listed[-1]["project"] == "Mails" and listed[-1]["number"] == "#1" and listed[-1]["took"] == "1 min 58 s"


@pytest.mark.parametrize(
    ("query", "names", "open_"),
    [
        ({"state": "failed"}, ["bad"], []),
        ({"state": "done"}, ["good"], []),
        ({"stage": "quantize"}, ["good"], []),
        ({"search": "GOO"}, ["good"], []),
        ({"search": "r-bad-dis"}, ["bad"], []),
        ({"search": "%"}, [], []),
        ({"search": "ESPA"}, ["good"], []),
        ({"search": "#3"}, ["bad"], []),
        ({"state": "waiting"}, [], ["r-first-evaluate", "r-second-finetune"]),
        ({"state": "running"}, [], ["r-first-finetune"]),
        ({"search": "second"}, [], ["r-second-finetune"]),
    ],
)
def test_filters_stand_in_the_address(
    show: Show,
    builder: StudioBuilder,
    listed: list[dict[str, str]],
    query: dict[str, str],
    names: list[str],
    open_: list[str],
) -> None:
    three(builder)
    at = show("jobs", **query)
    assert [each["name"] for each in listed] == names
    shown = [str(button.key).removeprefix("cancel_") for button in at.button if "cancel_" in str(button.key)]
    assert sorted(shown) == open_


def test_history_comes_in_pages(show: Show, builder: StudioBuilder, listed: list[dict[str, str]]) -> None:
    for number in range(page.PAGE + 3):
        builder.run(f"n{number}", ("dataset", State.SUCCEEDED), minutes_ago=number + 5)
    at = show("jobs")
    assert [each["name"] for each in listed] == [f"n{number}" for number in range(page.PAGE)]
    at.button(key="more").click().run()
    assert len(listed) == page.PAGE + 3
    assert "more" not in [button.key for button in at.button]


def test_waiting_jobs_change_places_and_are_cancelled(show: Show, builder: StudioBuilder) -> None:
    three(builder)
    builder.worker()
    at = show("jobs")
    assert order(builder) == ["r-first-evaluate", "r-second-finetune"]
    assert "No. 2 in queue" in words(at)
    assert at.button(key="move_-1_r-first-evaluate").disabled
    at.button(key="move_-1_r-second-finetune").click().run()
    assert order(builder) == ["r-second-finetune", "r-first-evaluate"]
    assert at.button(key="move_-1_r-second-finetune").disabled
    at.button(key="cancel_r-second-finetune").click().run()
    assert builder.studio.job("r-second-finetune").state is State.CANCELLED
    assert order(builder) == ["r-first-evaluate"]


def test_long_queue_is_worked_out_once_and_shown_in_part(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(page.PAGE + 5):
        builder.run(f"n{number:02}", ("finetune", State.WAITING), minutes_ago=99 - number)
    builder.worker()
    counted = Mock(side_effect=start_order)
    monkeypatch.setattr("studio.ui.shared.job_card.queue_position.start_order", counted)
    monkeypatch.setattr("studio.ui.home.page.start_order_now", list)  # the page Home, which is drawn first
    at = show("jobs")
    shown = [str(button.key) for button in at.button if str(button.key).startswith("cancel_")]
    assert shown == [f"cancel_r-n{number:02}-finetune" for number in range(page.PAGE)]
    assert "25 queued" in words(at) and "and 5 more" in words(at)
    assert counted.call_count == 1


def test_job_of_a_queue_that_is_unknown_here_is_listed(show: Show, builder: StudioBuilder) -> None:
    builder.run("far", ("finetune", State.WAITING), queue="tpu")
    builder.worker()
    assert "No worker for queue tpu" in words(show("jobs"))


def test_paused_queue_is_said_where_jobs_wait_for_it(show: Show, builder: StudioBuilder) -> None:
    three(builder)
    builder.worker()
    builder.studio.jobs.pause("cpu")
    assert "Queue cpu is paused" in words(show("jobs"))


@pytest.mark.parametrize("state", [State.FAILED, State.WAITING, State.RUNNING])
def test_drawer_shows_one_job(show: Show, builder: StudioBuilder, listed: list[dict[str, str]], state: State) -> None:
    run = builder.run("mine", ("finetune", state))
    at = show("jobs", job=f"{run}-finetune")
    key = "retry" if state is State.FAILED else "cancel"
    assert at.button(key=f"{key}_{run}-finetune")
    if state is State.FAILED:
        at.button(key=f"{key}_{run}-finetune").click().run()
        assert builder.studio.job(f"{run}-finetune").state is State.WAITING


def test_findings_are_said_on_the_job_s_card(show: Show, builder: StudioBuilder, listed: list[dict[str, str]]) -> None:
    builder.run("odd", ("quantize", State.FINDINGS))
    found = {"code": "core.unexpected", "args": {"reason": "half of the answers are empty"}}
    builder.store.update_job("r-odd-quantize", result={"artifact": "", "metrics": {}, "findings": [found]})
    at = show("jobs", "es", job="r-odd-quantize")
    assert "Con observaciones" in words(at)
    assert any("half of the answers are empty" in box.value for box in at.warning)
    assert "retry_r-odd-quantize" not in [button.key for button in at.button]


def test_filters_are_written_as_codes(show: Show, builder: StudioBuilder, listed: list[dict[str, str]]) -> None:
    three(builder)
    at = show("jobs")
    at.segmented_control(key="state").set_value("failed").run()
    assert at.query_params["state"] == "failed"
    assert [each["name"] for each in listed] == ["bad"]
    at.segmented_control(key="state").set_value("all").run()
    assert "state" not in at.query_params and len(listed) == 2


def test_rows_tell_runs_apart(show: Show, builder: StudioBuilder, listed: list[dict[str, str]]) -> None:
    data = builder.dataset("tickets")
    for number, rank in enumerate((8, 64)):
        builder.run(f"n{number}", ("finetune", State.SUCCEEDED), minutes_ago=9 - number)
        told = {"data": data.id, "rank": rank, "epochs": 5, "learning_rate": 0.001, "seed": 1}
        builder.store.update_job(f"r-n{number}-finetune", resolved=told)
    show("jobs")
    assert [(row["number"], row["data"]) for row in listed] == [("#2", "tickets"), ("#1", "tickets")]
    assert "64" in listed[0]["changes"] and "5" in listed[0]["changes"] and "64" not in listed[1]["changes"]


def test_several_runs_are_tagged_and_deleted_at_once(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        builder.run(name, ("dataset", State.SUCCEEDED))
    ticked: list[str | None] = ["=r-a,r-b"]

    def table(**_: object) -> SimpleNamespace:
        return SimpleNamespace(job=None, run=None, chosen=ticked.pop() if ticked else None)

    monkeypatch.setattr(jobtable, "_TABLE", table)
    at = show("jobs")
    assert "2 selected" in words(at)
    (link,) = [each.proto for each in at.main.get("page_link") if each.proto.label == "Compare"]
    assert sorted(link.query_string.split("&")[1:]) == ["id=r-a", "with=r-b"]
    at.session_state["history_tag"] = True
    at.run()
    at.multiselect(key="history_tags").set_value(["old"])
    at.button(key="history_add").click().run()
    assert {run.name: run.tags for run in builder.studio.runs()} == {"a": ["old"], "b": ["old"], "c": []}
    at.button(key="history_delete").click().run()
    assert [run.name for run in builder.studio.runs()] == ["c"] and "2 items moved to trash" in words(at)
    at.button(key="undo").click().run()
    assert len(builder.studio.runs()) == 3


def test_unknown_job_is_a_sentence(show: Show) -> None:
    assert "j-nothing" in show("jobs", job="j-nothing").error[0].value


def test_clear_history_keeps_young_and_open_runs(show: Show, builder: StudioBuilder) -> None:
    builder.run("old", ("dataset", State.SUCCEEDED), minutes_ago=60 * 24 * 40)
    builder.run("half", ("dataset", State.SUCCEEDED), ("finetune", State.WAITING), minutes_ago=60 * 24 * 40)
    builder.run("young", ("dataset", State.SUCCEEDED), minutes_ago=60)
    at = show("jobs")
    at.button(key="clear").click().run()
    assert "1 run will be removed." in words(at)
    at.button(key="clear_yes").click().run()
    assert [each.name for each in builder.studio.trash()] == ["old"]
    assert {run.name for run in builder.studio.runs()} == {"half", "young"}


def test_memory_and_cores_are_those_of_the_jobs_own_process(builder: StudioBuilder) -> None:
    """And nothing when the number belongs to another program, or to a job of another worker."""
    work = "import time\nkept = bytearray(80_000_000)\nend = time.time() + 60\nwhile time.time() < end: pass"
    with builder.store.session() as session:
        session.merge(t.Worker(id="w2", host=socket.gethostname(), pid=os.getpid(), queues=["cpu"], beat=t.now()))
    child, other = (
        subprocess.Popen([sys.executable, "-c", work, "backend.jobs.child", pid]) for pid in (str(os.getpid()), "1")
    )
    try:
        run = builder.run("live", ("finetune", State.RUNNING), pid=child.pid)
        job = builder.studio.run(run).jobs[0]
        st.cache_resource.clear()
        usage(job)
        time.sleep(2.5)
        now = usage(job)
        assert now and now.memory_bytes > 80_000_000 and now.cores and now.cores > 0.05
        assert usage(job.model_copy(update={"id": "j-other", "pid": other.pid})) is None
        assert usage(job.model_copy(update={"id": "j-init", "pid": 1})) is None
    finally:
        for process in (child, other):
            process.kill()
            process.wait()


def test_a_job_on_a_card_shows_the_cards_memory_load_and_power(
    show: Show, builder: StudioBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_cards.install(monkeypatch, tmp_path / "bin", fake_cards.row(0), fake_cards.row(1))
    with builder.store.session() as session:
        session.merge(t.Worker(id="w2", host=socket.gethostname(), pid=os.getpid(), queues=["gpu"], beat=t.now()))
    command = [sys.executable, "-c", "import time; time.sleep(600)", "backend.jobs.child", str(os.getpid())]
    child = subprocess.Popen(command, env={**os.environ, "CUDA_VISIBLE_DEVICES": "GPU-11"})
    try:
        builder.run("live", ("finetune", State.RUNNING), pid=child.pid)
        st.cache_resource.clear()
        said = words(show("jobs"))
        assert "NVIDIA Test 1 4.2 GB of 25.2 GB, load 35" in said and "120 W" in said and "Test 0" not in said
    finally:
        child.kill()
        child.wait()


def test_an_export_that_begins_otherwise_is_warned_of(show: Show, builder: StudioBuilder) -> None:
    builder.run("q", ("quantize", State.SUCCEEDED), result={"metrics": {"first_token_agreement": 0.0, "seconds": 20.2}})
    at = show("quantize")
    assert any("Check the export" in each.value for each in at.warning)
    assert "Seconds" not in [each.label for each in at.metric], "the head of the card says how long it took"
    builder.store.update_job("r-q-quantize", result={"metrics": {"first_token_agreement": 1.0}})
    st.cache_resource.clear()
    assert not show("quantize").warning
