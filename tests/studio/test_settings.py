"""The page Settings: figures of the real disk, queues, checks, and no secret."""

from __future__ import annotations

import os
import time

import pytest

from backend.doctor import Check
from backend.schemas import State
from backend.uploads import receive
from studio.ui import tasks
from tests.studio.conftest import Show, words
from tests.studio.house import House


@pytest.fixture(autouse=True)
def quick_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [
        Check(state="ok", what="processor", found="{value}", args={"value": "2 cores"}),
        Check(state="missing", what="memory", found="{value}", remedy="Buy <more>.", args={"value": "1 GB"}),
    ]
    monkeypatch.setattr("backend.doctor.examine", lambda: checks)


def settle() -> None:
    for _ in range(100):
        found = tasks.task("doctor")
        if found and found.done:
            return
        time.sleep(0.02)
    raise AssertionError("the checks don't end")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Settings", "Nothing is stored yet.", "No worker is at work", "No uploaded files")),
        ("es", ("Ajustes", "Aún no hay nada guardado.", "ningún worker", "No hay archivos subidos")),
    ],
)
def test_empty_home(show: Show, language: str, said: tuple[str, ...]) -> None:
    at = show("settings", language)
    for sentence in said:
        assert sentence in words(at)


def test_disk_by_kind_and_freeing(show: Show, house: House) -> None:
    house.model("big")
    broken = house.studio.settings.uploads / ".0123456789abcdef"
    broken.mkdir()
    (broken / "half.csv").write_bytes(b"x" * 2_000_000)
    for path in (broken / "half.csv", broken):
        os.utime(path, (1, 1))
    at = show("settings")
    figures = {metric.label: metric.value for metric in at.metric}
    assert figures["Can be freed at once"] == "2.0 MB"
    bars = [bar.proto.text for bar in at.get("progress")]
    assert bars[0] == "Uploads · 2.0 MB" and any(bar.startswith("Models · 1 · ") for bar in bars)
    at.button(key="free").click().run()
    assert not broken.exists()
    assert [toast.value for toast in at.toast] == ["2.0 MB freed."]
    assert {metric.label: metric.value for metric in at.metric}["Can be freed at once"] == "0 B"
    assert at.button(key="free").disabled
    assert house.studio.artifact("model-big")


def test_old_runs_go_only_when_asked(show: Show, house: House) -> None:
    house.run("old", ("dataset", State.SUCCEEDED), minutes_ago=60 * 24 * 40)
    at = show("settings")
    assert at.button(key="free").disabled
    at.checkbox(key="settings_old_runs").check().run()
    at.button(key="free").click().run()
    assert house.studio.runs() == []


def test_cache_is_cleared_but_not_under_a_job(show: Show, house: House) -> None:
    (house.studio.settings.cache / "answers.bin").write_bytes(b"x" * 5000)
    house.run("busy", ("finetune", State.RUNNING))
    at = show("settings", "es")
    assert "5,0 kB" in at.button(key="clear_cache").label
    at.button(key="clear_cache").click().run()
    assert "hay trabajos abiertos" in words(at).lower() or "abiertos" in words(at).lower()
    assert (house.studio.settings.cache / "answers.bin").exists()
    house.store.update_job("r-busy-finetune", state=State.FAILED)
    at.button(key="clear_cache").click().run()
    assert not (house.studio.settings.cache / "answers.bin").exists()


def test_uploads_are_listed_and_deleted(show: Show, house: House) -> None:
    with receive(house.studio.settings, "rows *1*.csv") as incoming:
        incoming.write(b"x" * 1500)
        kept = incoming.finish()
    at = show("settings")
    assert r"rows \*1\*.csv · 1.5 kB" in words(at)
    at.button(key=f"delete_upload_{kept.id}").click().run()
    assert house.studio.uploads() == []
    assert "No uploaded files" in words(at)


def test_queues_pause_and_resume(show: Show, house: House) -> None:
    house.worker()
    house.run("one", ("finetune", State.RUNNING), ("evaluate", State.WAITING))
    at = show("settings")
    assert "workbench" in words(at) and "1 at work · 1 waits" in words(at)
    at.button(key="pause_cpu").click().run()
    assert list(house.studio.jobs.paused()) == ["cpu"]
    second = show("settings", "es")
    second.button(key="resume_cpu").click().run()
    assert list(house.studio.jobs.paused()) == []


def test_checks_are_shown_when_they_are_done(show: Show) -> None:
    show("settings")
    settle()
    at = show("settings")
    table = at.table[0].value.to_string()
    assert "2 cores" in table and "missing" in table and r"Buy \<more\>." in table
    at.button(key="check_again").click().run()
    settle()
    assert "falta" in show("settings", "es").table[0].value.to_string()


def test_keys_are_never_shown(show: Show, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_ENDPOINT_KEY", "sk-very-secret")
    house.run("asks", ("teacher", State.SUCCEEDED), params={"key_env": "MY_ENDPOINT_KEY"})
    settle_first = show("settings")
    settle()
    at = settle_first.run()
    tables = "\n".join(table.value.to_string() for table in at.table)
    assert "`MY_ENDPOINT_KEY`" in tables and "green-badge[set]" in tables
    assert "`OPENAI_API_KEY`" in tables and "gray-badge[not set]" in tables
    assert "sk-very-secret" not in tables + words(at)


def test_language_is_chosen_here_too(show: Show) -> None:
    at = show("settings")
    at.segmented_control(key="settings_language").set_value("es").run()
    assert at.title[0].value == "Ajustes"
    assert at.segmented_control(key="lang").value == "es"
