"""The page Settings: figures of the real disk, queues, checks, and no secret."""

from __future__ import annotations

import os

import pytest

from backend.api import doctor
from backend.api.doctor import Check
from backend.core.errors import StudioError
from backend.core.schemas import Kind, State
from backend.files.uploads import receive_upload
from studio.ui.shared import tasks
from tests.helpers import until
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, project_switch, words


@pytest.fixture(autouse=True)
def quick_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [
        Check(state="ok", what="processor", found="{value}", args={"value": "2 cores"}),
        Check(state="missing", what="memory", found="{value}", remedy="Buy <more>.", args={"value": "1 GB"}),
    ]
    monkeypatch.setattr("backend.api.doctor.run_checks", lambda: checks)


def settle() -> None:
    until(lambda: (found := tasks.task("doctor")) and found.done)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Settings", "Nothing stored yet.", "No worker running", "No uploaded files")),
        ("es", ("Configuración", "Aún no hay nada guardado.", "ningún ejecutor", "No hay archivos subidos")),
    ],
)
def test_empty_home(show: Show, language: str, said: tuple[str, ...]) -> None:
    told = "".join(words(show("settings", language, section=section)) for section in ("storage", "diagnostics"))
    for sentence in said:
        assert sentence in told


def test_disk_by_kind_and_freeing(show: Show, builder: StudioBuilder) -> None:
    builder.model("big")
    broken = builder.studio.settings.uploads / ".0123456789abcdef"
    broken.mkdir()
    (broken / "half.csv").write_bytes(b"x" * 2_000_000)
    for path in (broken / "half.csv", broken):
        os.utime(path, (1, 1))
    at = show("settings", section="storage")
    figures = {metric.label: metric.value for metric in at.metric}
    assert figures["Reclaimable"] == "2.0 MB"
    bars = [bar.proto.text for bar in at.get("progress")]
    assert bars[0] == "Uploads · 2.0 MB" and any(bar.startswith("Models · 1 · ") for bar in bars)
    at.button(key="free").click().run()
    assert not broken.exists()
    assert [toast.value for toast in at.toast] == ["2.0 MB freed."]
    assert {metric.label: metric.value for metric in at.metric}["Reclaimable"] == "0 B"
    assert at.button(key="free").disabled
    assert builder.studio.artifact("model-big")


def test_old_runs_go_only_when_asked(show: Show, builder: StudioBuilder) -> None:
    builder.run("old", ("dataset", State.SUCCEEDED), minutes_ago=60 * 24 * 40)
    at = show("settings", section="storage")
    assert at.button(key="free").disabled
    at.checkbox(key="settings_old_runs").check().run()
    at.button(key="free").click().run()
    assert builder.studio.runs() == []


def test_trash_is_listed_restored_and_emptied(show: Show, builder: StudioBuilder) -> None:
    big, other = builder.model("big"), builder.model("other")
    run = builder.run("finetune", ("finetune", State.SUCCEEDED))
    builder.studio.delete_all([big.id, other.id, run])
    at = show("settings", section="storage")
    assert f"3 items · {big.size_bytes + other.size_bytes} B" in words(at) and "Fine-tune · Run" in words(at)
    at.button(key=f"restore_{big.id}").click().run()
    assert [view.id for view in builder.studio.artifacts()] == [big.id]
    at.number_input(key="trash_days").set_value(7).run()
    assert builder.studio.trash_days == 7
    at.button(key="empty_trash").click().run()
    assert "The trash is empty." in words(at) and not other.path.exists() and big.path.is_dir()
    assert builder.studio.runs() == []


def test_cache_is_cleared_but_not_under_a_job(show: Show, builder: StudioBuilder) -> None:
    (builder.studio.settings.cache / "answers.bin").write_bytes(b"x" * 5000)
    builder.run("busy", ("finetune", State.RUNNING))
    at = show("settings", "es", section="storage")
    assert "5,0\u00a0kB" in at.button(key="clear_cache").label
    at.button(key="clear_cache").click().run()
    assert "trabajos en marcha o en cola" in words(at).lower()
    assert (builder.studio.settings.cache / "answers.bin").exists()
    builder.store.update_job("r-busy-finetune", state=State.FAILED)
    at.button(key="clear_cache").click().run()
    assert not (builder.studio.settings.cache / "answers.bin").exists()


def test_uploads_are_listed_and_deleted(show: Show, builder: StudioBuilder) -> None:
    with receive_upload(builder.studio.settings, "rows *1*.csv") as incoming:
        incoming.write(b"x" * 1500)
        kept = incoming.finish()
    at = show("settings", section="storage")
    assert r"rows \*1\*.csv · 1.5 kB" in words(at)
    at.button(key=f"delete_upload_{kept.id}").click().run()
    assert builder.studio.uploads() == []
    assert "No uploaded files" in words(at)


def test_queues_pause_and_resume(show: Show, builder: StudioBuilder) -> None:
    builder.worker()
    builder.run("one", ("finetune", State.RUNNING), ("evaluate", State.WAITING))
    at = show("settings", section="diagnostics")
    assert "workbench" in words(at) and "1 running · 1 queued" in words(at)
    at.button(key="pause_cpu").click().run()
    assert list(builder.studio.jobs.paused()) == ["cpu"]
    second = show("settings", "es", section="diagnostics")
    second.button(key="resume_cpu").click().run()
    assert list(builder.studio.jobs.paused()) == []


def test_checks_are_shown_when_they_are_done(show: Show) -> None:
    show("settings", section="diagnostics")
    settle()
    at = show("settings", section="diagnostics")
    table = at.table[0].value.to_string()
    assert "2 cores" in table and "missing" in table and r"Buy \<more\>." in table
    at.button(key="check_again").click().run()
    settle()
    assert "falta" in show("settings", "es", section="diagnostics").table[0].value.to_string()


def test_checks_are_made_again_after_a_minute(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    show("settings", section="diagnostics")
    settle()
    found = tasks.task("doctor")
    show("settings", section="diagnostics")
    assert found and found.ended and tasks.task("doctor") is found
    found.ended -= 61
    show("settings", section="diagnostics")
    assert tasks.task("doctor") is not found


@pytest.mark.parametrize(("language", "said"), [("en", "Unexpected error"), ("es", "Error inesperado")])
def test_checks_that_fail_say_so_and_break_nothing(
    show: Show, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    def fail() -> list[Check]:
        raise OSError("<no> such device")

    working = doctor.run_checks
    monkeypatch.setattr("backend.api.doctor.run_checks", fail)
    show("settings", language, section="diagnostics")
    settle()
    at = show("settings", language, section="diagnostics")
    assert said in at.error[0].value and r"\<no\> such device" in at.error[0].value
    assert "Apache-2.0" in "\n".join(table.value.to_string() for table in at.table), "what comes after is there"
    monkeypatch.setattr("backend.api.doctor.run_checks", working)
    at.button(key="check_again").click().run()
    settle()
    assert not show("settings", language, section="diagnostics").error


def test_queues_count_the_jobs_of_old_runs_too(show: Show, builder: StudioBuilder) -> None:
    builder.run("old", ("finetune", State.WAITING), minutes_ago=1000)
    for number in range(101):
        builder.run(f"n{number}", ("dataset", State.SUCCEEDED))
    assert "1 queued" in words(show("settings", section="diagnostics"))


def test_only_project_is_not_deleted(show: Show, builder: StudioBuilder) -> None:
    assert show("settings").button(key="delete_project").disabled
    with pytest.raises(StudioError) as error:
        builder.studio.delete_project(builder.store.project())
    assert error.value.code == "core.project_last"


def test_project_is_deleted_with_what_was_made_in_it(show: Show, builder: StudioBuilder) -> None:
    kept = builder.model("kept")
    doomed = builder.model("doomed", project="Mails")
    builder.run("one", ("dataset", State.SUCCEEDED), project="Mails")
    builder.studio.choose_project(doomed.project)
    at = show("settings")
    at.button(key="delete_project").click().run()
    said = words(at)
    assert "Move **Mails** and everything" in said and "- 1 run\n- 1 dataset, model or other artifact" in said
    assert "Kept in the trash for 30 days. Emptying the trash frees 6 B." in said
    at.button(key="delete_project_yes").click().run()
    at.run()
    assert not at.exception and not at.error
    assert [each.name for each in builder.studio.projects()] == ["default"]
    assert [view.id for view in builder.studio.artifacts()] == [kept.id] and builder.studio.runs() == []
    assert "“Mails” moved to trash" in words(at) and doomed.path.is_dir()
    assert "delete_project_yes" not in [button.key for button in at.button]
    assert project_switch(at).value == kept.project
    at.button(key="undo").click().run()
    at.run()
    assert project_switch(at).value == doomed.project and "Mails" in project_switch(at).options
    assert builder.studio.artifact(doomed.id) and builder.studio.trash() == []


def test_a_project_in_the_trash_is_listed_restored_and_emptied(show: Show, builder: StudioBuilder) -> None:
    builder.model("kept")
    doomed = builder.model("doomed", project="Mails")
    builder.studio.delete_project(doomed.project)
    at = show("settings", section="storage")
    assert "Mails · Project · 6 B" in words(at) and f"restore_{doomed.id}" not in [each.key for each in at.button]
    at.button(key=f"restore_{doomed.project}").click().run()
    assert "The trash is empty." in words(at) and "Mails" in project_switch(at).options
    builder.studio.delete_project(doomed.project)
    at.run()
    at.button(key="empty_trash").click().run()
    assert "The trash is empty." in words(at) and not doomed.path.exists()


def test_project_that_others_build_on_stays_and_the_page_says_why(show: Show, builder: StudioBuilder) -> None:
    base = builder.model("base", project="Mails")
    builder.model("student", Kind.ADAPTER, parents=[base.id])
    builder.studio.choose_project(base.project)
    at = show("settings", "es")
    at.button(key="delete_project").click().run()
    at.button(key="delete_project_yes").click().run()
    assert "student" in at.error[0].value and "El proyecto no se puede eliminar" in at.error[0].value
    assert builder.studio.artifact(base.id)
    at.button(key="delete_project_no").click().run()
    at.run()
    assert "delete_project_yes" not in [button.key for button in at.button]


def test_keys_are_never_shown(show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_API_KEY", "sk-very-secret")
    builder.run("asks", ("teacher", State.SUCCEEDED), params={"endpoint_key_env": "MY_API_KEY"})
    at = show("settings")
    tables = "\n".join(table.value.to_string() for table in at.table)
    assert "`MY_API_KEY`" in tables and "green-badge[set]" in tables
    assert "`OPENAI_API_KEY`" in tables and "gray-badge[not set]" in tables
    assert "sk-very-secret" not in tables + words(at)


def test_language_is_chosen_here_too(show: Show) -> None:
    at = show("settings")
    at.segmented_control(key="settings_language").set_value("es").run()
    assert at.title[0].value == "Configuración"
    assert at.segmented_control(key="lang").value == "es"
