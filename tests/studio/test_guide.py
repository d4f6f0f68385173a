"""The guided way on Home: a goal and a file become one card and one run."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.schemas import State
from backend.db import tables as t
from studio.ui.guide.state import DRAFT
from studio.ui.shared.tasks import task
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


def labelled(folder: Path, rows: int = 60, broken: int = 0, labels: tuple[str, ...] = ("bill", "fault")) -> Path:
    file = folder / "mails.csv"
    lines = [
        f"{'' if n < broken else f'message number {n} about something'},{labels[n % len(labels)]}" for n in range(rows)
    ]
    file.write_text("message,topic\n" + "\n".join(lines), "utf-8")
    return file


def open_with(show: Show, builder: StudioBuilder, file: Path, language: str = "en", **more: Any) -> AppTest:
    """Home with a goal and a file that were chosen before; a slow machine may read for longer than the page waits."""
    project = builder.studio.chosen_project().id
    builder.studio.save_draft(project, DRAFT, {"goal": "sort", "source": {"source": str(file)}} | more)
    builder.studio.inspect({"source": str(file), **more.get("source", {})})
    return show(language=language)


def train(at: AppTest) -> Any:
    return at.button(key="guide_train")


def settle(builder: StudioBuilder) -> None:
    work = task(f"guide:{builder.studio.chosen_project().id}")
    assert work is not None and work.wait(60)


@pytest.mark.parametrize(("language", "said"), [("en", "The model learns to answer like this"), ("es", "2 etiquetas")])
def test_card_shows_what_was_found_and_train_is_ready(
    show: Show, builder: StudioBuilder, tmp_path: Path, language: str, said: str
) -> None:
    builder.model("small")
    builder.run("mails", ("finetune", State.WAITING))
    at = open_with(show, builder, labelled(tmp_path), language)
    assert ("1 job is already running" if language == "en" else "Ya hay 1 trabajo") in words(at)
    assert said in words(at) and "message → topic" in words(at).replace("\\", "")
    assert not train(at).disabled
    presets = at.radio(key=f"guide_preset_{builder.studio.chosen_project().id}")
    captions = presets.proto.captions
    assert "%" in presets.help and not any("%" in each for each in captions), "what the demo reached is no promise"
    assert len(captions) == 3 and all("min" in each or " s" in each for each in captions), "each preset has a time"


def test_train_starts_one_run_of_the_whole_chain_and_opens_its_result(
    show: Show, builder: StudioBuilder, tmp_path: Path
) -> None:
    builder.model("small")
    at = open_with(show, builder, labelled(tmp_path))
    train(at).click().run()
    settle(builder)
    at.run()
    (run,) = builder.studio.runs()
    assert [job.stage for job in run.jobs] == [
        *("dataset", "check_data", "baseline", "finetune", "quantize"),
        *("evaluate", "evaluate", "evaluate", "package"),
    ]
    assert run.id in at.query_params["run"]
    assert "Waiting to start" in words(at).replace("\\", "")
    assert builder.studio.draft(run.project, DRAFT)["source"] == {}, "the next visit begins anew"


def test_only_the_session_that_pressed_train_is_led_to_the_run(
    show: Show, builder: StudioBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder.model("small")
    at = open_with(show, builder, labelled(tmp_path))
    held, start = threading.Event(), type(builder.studio).start

    def later(*given: Any, **more: Any) -> Any:
        held.wait(60)
        return start(*given, **more)

    monkeypatch.setattr(type(builder.studio), "start", later)
    train(at).click().run()
    other = show()
    assert "Checking and queueing all steps" in words(other)
    held.set()
    settle(builder)
    other.run()
    assert "run" not in other.query_params and not other.exception
    at.run()
    assert builder.studio.runs()[0].id in at.query_params["run"]


def test_what_is_prepared_first_is_said_at_once_and_other_pages_go_on(
    show: Show, builder: StudioBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_with(show, builder, labelled(tmp_path))
    held = threading.Event()
    monkeypatch.setattr("backend.models.catalogue.import_builtin", lambda *_given: held.wait(60))
    assert not train(at).disabled and "The time is estimated after that." in words(at)
    train(at).click().run()
    said = words(at)
    assert "Preparing the built-in model, once (about 25 s)" in said or "Downloading and preparing" in said
    assert "smollm2-135m-instruct" in said.replace("\\", "") and at.get("progress")
    assert show("models").title[0].value == "Models"
    held.set()
    work = task(f"guide:{builder.studio.chosen_project().id}")
    assert work is not None and work.wait(60)


def test_rows_that_can_not_be_used_are_skipped_by_one_click(show: Show, builder: StudioBuilder, tmp_path: Path) -> None:
    builder.model("small")
    file = labelled(tmp_path, broken=3)
    at = open_with(show, builder, file)
    assert train(at).disabled
    (skip,) = [button for button in at.button if button.label == "Skip these 3 rows"]
    builder.studio.inspect({"source": str(file), "on_bad_row": "skip"})
    skip.click().run()
    assert not train(at).disabled and "Skipped" in words(at).replace("\\", "")


def test_all_findings_are_repaired_by_one_click(show: Show, builder: StudioBuilder, tmp_path: Path) -> None:
    builder.model("small")
    file = labelled(tmp_path, broken=3, labels=("Avería", "bill", "averia"))
    at = open_with(show, builder, file)
    assert train(at).disabled and train(at).proto.help == "Resolve the findings in red first."
    builder.studio.inspect({"source": str(file), "on_bad_row": "skip"})
    at.button(key="guide_fix_all").click().run()
    assert not train(at).disabled and "Merged into one label: Avería / averia" in words(at).replace("\\", "")
    draft = builder.studio.draft(builder.studio.chosen_project().id, DRAFT)
    assert draft["fixes"] == ["merge_labels"] and draft["source"]["on_bad_row"] == "skip"
    assert not [button for button in at.button if button.key == "guide_fix_all"]


def test_columns_that_no_model_reads_are_named(show: Show, builder: StudioBuilder, tmp_path: Path) -> None:
    builder.model("small")
    file = tmp_path / "mails.csv"
    rows = [f"{700 + 3 * n},message number {n} about something,{('bill', 'fault')[n % 2]}" for n in range(60)]
    file.write_text("ticket_id,message,topic\n" + "\n".join(rows), "utf-8")
    at = open_with(show, builder, file)
    assert "Not read by the model: ticket_id" in words(at).replace("\\", "")


def test_labels_written_in_several_ways_are_merged_in_the_run(
    show: Show, builder: StudioBuilder, tmp_path: Path
) -> None:
    builder.model("small")
    at = open_with(show, builder, labelled(tmp_path, labels=("Avería", "bill", "averia")))
    assert "Labels are written in several ways: Avería / averia" in words(at).replace("\\", "")
    at.button(key="guide_fix_guide.label_variants").click().run()
    assert "2 labels" in words(at) and "Merged into one label: Avería / averia" in words(at).replace("\\", "")
    train(at).click().run()
    settle(builder)
    jobs = {job.stage: job for job in builder.studio.runs()[0].jobs}
    assert jobs["clean_data"].params["fixes"] == ["merge_labels"]


def test_rows_without_an_answer_are_told(show: Show, builder: StudioBuilder, tmp_path: Path) -> None:
    builder.model("small")
    file = labelled(tmp_path)
    file.write_text(file.read_text("utf-8") + "\nwhat is this,\nand this,\n", "utf-8")
    at = open_with(show, builder, file)
    assert "2 rows without an answer are not used for training." in words(at)
    at.button(key="goal_shrink").click().run()
    assert "not used for training" not in words(at), "a teacher can answer them"


def test_goal_that_does_not_fit_is_said_and_changed_in_one_click(
    show: Show, builder: StudioBuilder, tmp_path: Path
) -> None:
    builder.model("small")
    at = open_with(show, builder, labelled(tmp_path), goal="answer")
    assert "The answers are 2 fixed labels" in at.warning[0].value
    at.button(key="guide_better").click().run()
    assert not at.warning
    assert at.button(key="goal_sort").proto.type == "primary"


def test_file_without_a_goal_suggests_one(show: Show, builder: StudioBuilder, tmp_path: Path) -> None:
    builder.model("small")
    at = open_with(show, builder, labelled(tmp_path), goal="")
    assert "The file suggests this goal: Sort texts" in words(at).replace("\\", "")
    assert not train(at).disabled


def test_sample_is_taken_with_its_license(show: Show, builder: StudioBuilder) -> None:
    at = show()
    (first, *_others) = [button for button in at.button if button.label == "Use this sample"]
    first.click().run()
    source = builder.studio.draft(builder.studio.chosen_project().id, DRAFT)["source"]
    assert Path(source["source"]).is_file() and source["license"] == "CC0-1.0"


def test_small_from_large_says_what_is_needed_when_nobody_can_teach(
    show: Show, builder: StudioBuilder, tmp_path: Path
) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(f"a text without an answer, number {n}" for n in range(40)), "utf-8")
    at = open_with(show, builder, file, goal="shrink")
    assert "No teacher available" in words(at) and train(at).disabled
    assert {"Go to Teacher", "Go to Models"} <= {element.proto.label for element in at.main.get("page_link")}


def test_rows_go_to_an_endpoint_only_when_somebody_chose_it(show: Show, builder: StudioBuilder, tmp_path: Path) -> None:
    builder.model("small")
    builder.studio.save_endpoint({"name": "large", "url": "http://localhost:9/v1", "model": "m"})
    at = open_with(show, builder, labelled(tmp_path), goal="shrink")
    teacher = at.selectbox(key=f"guide_teacher_{builder.studio.chosen_project().id}")
    assert teacher.value == "tune:" and "The rows are sent" not in words(at).replace("\\", "")
    teacher.select("endpoint:large").run()
    assert "The rows are sent to this endpoint." in words(at).replace("\\", "")
    key = f"guide_personal_{builder.studio.chosen_project().id}"
    assert key not in [radio.key for radio in at.radio], "an endpoint on this machine"


@pytest.mark.parametrize("language", ["en", "es"])
def test_personal_data_is_decided_before_rows_go_elsewhere(
    show: Show, builder: StudioBuilder, tmp_path: Path, language: str
) -> None:
    builder.model("small")
    builder.studio.save_endpoint({"name": "large", "url": "https://models.example.com/v1", "model": "m"})
    at = open_with(show, builder, labelled(tmp_path), language, goal="shrink", teacher="endpoint:large")
    choice = at.radio(key=f"guide_personal_{builder.studio.chosen_project().id}")
    assert choice.value == "mask" and not train(at).disabled
    if language == "es":
        assert choice.options == ["Enmascarar", "Enviar", "Detener"]
        return
    assert choice.options == ["Mask", "Send", "Stop"]
    choice.set_value("send").run()
    assert builder.studio.draft(builder.studio.chosen_project().id, DRAFT)["personal"] == "send"
    assert not at.exception and not train(at).disabled


def test_file_that_can_not_be_read_says_why(show: Show, builder: StudioBuilder, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("", "utf-8")
    project = builder.studio.chosen_project().id
    builder.studio.save_draft(project, DRAFT, {"goal": "sort", "source": {"source": str(tmp_path / "empty.csv")}})
    at = show()
    for _ in range(100):
        if at.error:
            break
        threading.Event().wait(0.1)
        at.run()
    assert at.error


def test_home_shows_the_latest_result_first(show: Show, builder: StudioBuilder) -> None:
    data, model = builder.dataset(), builder.model("small-int4")
    measured = builder.evaluation(model, data, 0.9, plain=0.7)
    builder.run("mails", ("finetune", State.SUCCEEDED), ("evaluate", State.SUCCEEDED))
    builder.store.update_job("r-mails-finetune", result={"artifact": model.id})
    builder.store.update_job("r-mails-evaluate", result={"artifact": measured.id})
    at = show()
    said = words(at)
    assert "Latest result" in said and "Accuracy 90.0%" in said
    assert {metric.label for metric in at.metric} >= {"Accuracy", "Size on disk"}


@pytest.mark.parametrize(
    ("languages", "language", "said"),
    [
        (["en"], "en", "in Spanish, but small learned mostly from texts in English"),
        (["en"], "es", "están en español, pero small aprendió sobre todo de textos en inglés"),
        (["en", "es"], "en", ""),
        ([], "en", ""),
    ],
)
def test_rows_in_a_language_that_the_model_hardly_knows_are_told(
    show: Show, builder: StudioBuilder, tmp_path: Path, languages: list[str], language: str, said: str
) -> None:
    model = builder.model("small")
    with builder.store.session() as session:
        row = session.get(t.Artifact, model.id)
        assert row
        row.facts = {**row.facts, "languages": languages}
    file = tmp_path / "correos.csv"
    lines = [
        f"no me llega el pedido número {n} que hice ayer por la tarde,{('envío', 'pago')[n % 2]}" for n in range(60)
    ]
    file.write_text("mensaje,tema\n" + "\n".join(lines), "utf-8")
    shown = words(open_with(show, builder, file, language))
    if said:
        assert said in shown
    else:
        assert "learned mostly from" not in shown
