"""The pages that build: in both languages and every state, from the form to the queue."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.schemas import Kind, State
from backend.db import tables as t
from studio.ui.forms import stage_panel
from studio.ui.shared import api_cache
from studio.ui.shared.project_progress import completed_stages, next_step
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, project_switch, words

PAGES = {
    "data": "dataset",
    "teacher": "teacher",
    "distill": "prune",
    "finetune": "finetune",
    "quantize": "quantize",
}


def key(builder: StudioBuilder, stage: str, field: str) -> str:
    return f"form.{builder.store.project()}.{stage}.{field}"


def step(show: Show, stage: str) -> AppTest:
    """The page Distill at one of its steps."""
    at = show("distill")
    at.query_params["step"] = stage
    return at.run()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("language", "said"), [("en", "1 queued"), ("es", "1 en cola")])
def test_every_page_shows_a_job_that_waits(
    show: Show, builder: StudioBuilder, page: str, language: str, said: str
) -> None:
    builder.run("mine", (PAGES[page], State.WAITING))
    assert said in words(show(page, language))


def test_form_starts_the_stage_with_what_was_chosen(show: Show, builder: StudioBuilder) -> None:
    data, model = builder.dataset(), builder.model()
    at = show("finetune")
    at.number_input(key=key(builder, "finetune", "rank")).set_value(8).run()
    assert not at.button(key="start_finetune").disabled
    at.button(key="start_finetune").click().run()
    assert not at.exception
    (run,) = builder.store.runs()
    assert run.jobs[0].params["rank"] == 8
    assert run.jobs[0].params["data"] == data.id
    assert run.jobs[0].params["model"] == model.id
    assert run.jobs[0].quote and run.jobs[0].quote.seconds > 0


def test_a_double_click_is_one_run_and_a_later_click_another(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder.dataset(), builder.model()
    at = show("finetune")
    at.button(key="start_finetune").click().run()
    at.button(key="start_finetune").click().run()
    assert len(builder.store.runs()) == 1
    monkeypatch.setattr(stage_panel, "DOUBLE_CLICK", 0.0)
    at.button(key="start_finetune").click().run()
    assert len(builder.store.runs()) == 2


def test_a_click_that_comes_with_the_last_change_starts_what_is_shown(show: Show, builder: StudioBuilder) -> None:
    builder.dataset(), builder.model()
    at = show("finetune")
    at.number_input(key=key(builder, "finetune", "rank")).set_value(4)
    at.button(key="start_finetune").click().run()
    assert builder.store.runs()[0].jobs[0].params["rank"] == 4
    at.number_input(key=key(builder, "finetune", "rank")).set_value(0)
    at.button(key="start_finetune").click().run()
    assert len(builder.store.runs()) == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "The number is too small. Enter 1 or more."), ("es", "El número es demasiado pequeño. Escribe 1 o más.")],
)
def test_error_stands_in_the_form_and_nothing_can_start(
    show: Show, builder: StudioBuilder, language: str, said: str
) -> None:
    builder.dataset(), builder.model()
    at = show("finetune", language)
    at.number_input(key=key(builder, "finetune", "rank")).set_value(0).run()
    assert at.button(key="start_finetune").disabled
    wrong = [element.value for element in at.markdown if ":red[" in element.value]
    assert len(wrong) == 1
    assert said in wrong[0].replace("\\", "")


def test_draft_survives_a_new_session(show: Show, builder: StudioBuilder) -> None:
    builder.dataset(), builder.model()
    show("finetune").number_input(key=key(builder, "finetune", "rank")).set_value(4).run()
    assert show("finetune").number_input(key=key(builder, "finetune", "rank")).value == 4


def test_parameters_of_an_earlier_job_can_be_taken(show: Show, builder: StudioBuilder) -> None:
    data, model = builder.dataset(), builder.model()
    run = builder.run("old", ("finetune", State.FAILED))
    builder.store.update_job(f"{run}-finetune", params={"model": model.id, "data": data.id, "rank": 3, "epochs": 7})
    at = show("finetune", **{"from": f"{run}-finetune"})
    assert at.number_input(key=key(builder, "finetune", "rank")).value == 3
    assert at.number_input(key=key(builder, "finetune", "epochs")).value == 7


def test_distill_begins_with_a_cut_and_goes_on_with_what_was_cut(show: Show, builder: StudioBuilder) -> None:
    data = builder.dataset()
    builder.model(), builder.model("tuned", Kind.ADAPTER)
    assert show("distill").number_input(key=key(builder, "prune", "keep_layers")).value == 6
    cut = builder.model("small", facts={"kept_layers": [0, 29]}, parents=[data.id])
    run = builder.run("cutting", ("prune", State.SUCCEEDED))
    builder.store.update_job(f"{run}-prune", result={"artifact": cut.id, "metrics": {}})
    builder.model("newer")
    api_cache.clear_caches()
    at = step(show, "distill")
    assert at.selectbox(key=key(builder, "distill", "student")).value == cut.id
    assert completed_stages([cut]) == {"prune"}
    assert next_step({"dataset", "finetune", "prune"}).row.title == "Distill"
    assert next_step({"dataset", "finetune", "prune", "distill"}).row.title == "Quantize"
    done = {"dataset", "finetune", "quantize", "evaluate"}
    assert "teacher" not in next_step(done).why and "teacher" in next_step(done | {"distill"}).why


def test_a_page_opens_at_the_step_that_is_at_work(show: Show, builder: StudioBuilder) -> None:
    builder.dataset(), builder.model()
    builder.run("teach", ("distill", State.RUNNING))
    assert show("distill").button(key="start_distill")


def test_a_student_stands_beside_its_teacher_before_anything_runs(show: Show, builder: StudioBuilder) -> None:
    builder.dataset(), builder.model()
    at = show("distill")
    (table,) = [element.value.replace("\u00a0", " ") for element in at.markdown if element.value.startswith("|")]
    assert "| Parameters | 134.5 M | 23.6 M |" in table
    assert "| Size in FP32 | 538.1 MB | 94.4 MB |" in table
    said = next(element.value for element in at.caption if "× as fast" in element.value)
    assert "97." in said
    at.segmented_control(key=key(builder, "prune", "vocabulary")).set_value("whole").run()
    assert "49.6\u00a0M" in next(element.value for element in at.markdown if element.value.startswith("|"))
    assert show("teacher").pills(key=key(builder, "teacher", "splits")).value == ["pool"]


def test_teacher_proposes_training_rows_where_there_is_no_pool(show: Show, builder: StudioBuilder) -> None:
    builder.dataset(pool=0), builder.model()
    at = show("teacher")
    assert at.pills(key=key(builder, "teacher", "splits")).value == ["train"]
    assert not at.button(key="start_teacher").disabled


def test_endpoint_takes_the_place_of_a_model(show: Show, builder: StudioBuilder) -> None:
    builder.dataset(), builder.model()
    at = show("teacher")
    at.session_state[key(builder, "teacher", "answerer")] = "endpoint"
    at.run()
    assert at.button(key="start_teacher").disabled
    at.text_input(key=key(builder, "teacher", "endpoint_url")).set_value("http://localhost:9/v1").run()
    at.text_input(key=key(builder, "teacher", "endpoint_model")).set_value("gpt").run()
    at.button(key="start_teacher").click().run()
    (run,) = builder.store.runs()
    assert run.jobs[0].params["endpoint_model"] == "gpt"
    assert run.jobs[0].params["model"] is None


def test_missing_input_leads_to_the_page_that_makes_it(show: Show) -> None:
    said = words(show("finetune", "es"))
    assert "Este paso necesita un conjunto de datos" in said


def test_package_is_the_second_step_of_quantize(show: Show, builder: StudioBuilder) -> None:
    onnx = builder.model("small", Kind.ONNX)
    at = show("quantize")
    at.query_params["step"] = "package"
    at.run()
    assert at.selectbox(key=key(builder, "package", "model")).value == onnx.id
    at.button(key="start_package").click().run()
    assert [job.stage for run in builder.store.runs() for job in run.jobs] == ["package"]


def test_uploaded_file_is_mapped_previewed_and_becomes_a_dataset(
    show: Show, builder: StudioBuilder, tmp_path: Path
) -> None:
    rows = "\n".join(f'"where is <b>parcel</b> {n}",{("shipping", "billing")[n % 2]}' for n in range(30))
    folder = builder.studio.settings.home / "uploads" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "mails.csv").write_text(f"message,topic\n{rows}\n")
    model = builder.studio.settings.home / "uploads" / "1123456789abcdef" / "model.zip"
    model.parent.mkdir()
    with ZipFile(model, "w") as packed:
        packed.writestr("small/config.json", "{}")
    at = show("data")
    assert not any("model.zip" in option for option in at.selectbox(key=key(builder, "dataset", "source")).options)
    at.selectbox(key=key(builder, "dataset", "source")).set_value(str(folder / "mails.csv")).run()
    assert not at.exception
    assert "Auto-detected: message" in at.selectbox(key=key(builder, "dataset", "input")).options
    assert any("where is <b>parcel</b> 0" in element.value for element in at.text)
    at.button(key="start_dataset").click().run()
    (run,) = builder.store.runs()
    assert run.jobs[0].params["source"] == str(folder / "mails.csv")


def test_bad_file_is_said_below_its_field(show: Show, builder: StudioBuilder) -> None:
    folder = builder.studio.settings.home / "uploads" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "empty.csv").write_text("")
    at = show("data", "en")
    at.selectbox(key=key(builder, "dataset", "source")).set_value(str(folder / "empty.csv")).run()
    assert any("is empty" in element.value for element in at.markdown)
    assert at.button(key="start_dataset").disabled


def asked(at: AppTest, what: str) -> AppTest:
    """The dialog of the menu of projects; a menu's click is not driven from here."""
    at.session_state["project_asked"] = what
    return at.run()


def test_projects_are_made_renamed_and_kept_by_a_new_session(show: Show, builder: StudioBuilder) -> None:
    at = asked(show("data"), "create")
    ways = [each.key for each in at.button if each.key in ("project_create", "project_cancel")]
    assert ways == ["project_create", "project_cancel"], "Enter presses the first button of a form"
    at.text_input(key="project_name").set_value("Support emails")
    at.button(key="project_create").click().run()
    names = {each.name: each.id for each in builder.studio.projects()}
    assert project_switch(at).value == names["Support emails"] == at.query_params["project"]
    assert "Support emails" in at.toast[0].value
    assert not [box for box in at.text_input if box.key == "project_name"], "the dialog is closed"
    assert "What should your model do?" in words(at), "a new project begins on Home"
    assert project_switch(show("teacher")).value == names["Support emails"]
    asked(at, "rename").text_input(key="project_name").set_value("Mails")
    at.button(key="project_rename").click().run()
    assert {each.name for each in builder.studio.projects()} == {"default", "Mails"}
    asked(at, "create").text_input(key="project_name").set_value("Mails")
    at.button(key="project_create").click().run()
    assert "Mails" in at.error[0].value


def test_another_project_has_a_form_and_jobs_of_its_own(show: Show, builder: StudioBuilder) -> None:
    builder.studio.choose_project(builder.store.project())
    builder.run("other", ("finetune", State.FAILED), project="Other")
    assert "Failed" not in words(show("finetune"))
    builder.studio.choose_project(builder.store.project("Other"))
    assert "Failed" in words(show("finetune"))


def test_options_with_equal_words_stay_apart(show: Show, builder: StudioBuilder) -> None:
    builder.model()
    first, second = builder.dataset("one"), builder.dataset("two")
    with builder.store.session() as session:
        for each in (first, second):
            session.get_one(t.Artifact, each.id).name = "commands"
    at = show("finetune")
    box = at.selectbox(key=key(builder, "finetune", "data"))
    assert len(set(box.options)) == len(box.options) == 2


def test_untouched_fields_follow_the_project_and_chosen_ones_stay(show: Show, builder: StudioBuilder) -> None:
    raw = builder.dataset("raw")
    builder.model()
    at = step(show, "distill")
    assert at.selectbox(key=key(builder, "distill", "data")).value == raw.id
    at.number_input(key=key(builder, "distill", "epochs")).set_value(5).run()
    answers = builder.dataset("answers")
    run = builder.run("ask", ("teacher", State.SUCCEEDED))
    builder.store.update_job(f"{run}-teacher", result={"artifact": answers.id, "metrics": {}})
    api_cache.clear_caches()
    at = step(show, "distill")
    assert at.selectbox(key=key(builder, "distill", "data")).value == answers.id
    assert at.number_input(key=key(builder, "distill", "epochs")).value == 5
    at.selectbox(key=key(builder, "distill", "data")).set_value(raw.id).run()
    assert step(show, "distill").selectbox(key=key(builder, "distill", "data")).value == raw.id


def test_a_chosen_default_survives_a_reload(show: Show, builder: StudioBuilder) -> None:
    builder.dataset(), builder.model()
    show("distill").number_input(key=key(builder, "prune", "keep_layers")).set_value(0).run()
    assert show("distill").number_input(key=key(builder, "prune", "keep_layers")).value == 0


def test_an_emptied_number_and_an_emptied_list_mean_the_default(show: Show, builder: StudioBuilder) -> None:
    builder.dataset(), builder.model()
    at = show("finetune")
    at.number_input(key=key(builder, "finetune", "epochs")).set_value(None).run()
    at.text_input(key=key(builder, "finetune", "targets")).set_value("").run()
    at.button(key="start_finetune").click().run()
    params = builder.store.runs()[0].jobs[0].params
    assert (params["epochs"], params["targets"]) == (3, "all-linear")


def test_what_is_gone_is_said_and_not_replaced(show: Show, builder: StudioBuilder) -> None:
    kept, gone = builder.dataset("kept"), builder.dataset("gone")
    model = builder.model()
    run = builder.run("old", ("finetune", State.FAILED))
    builder.store.update_job(f"{run}-finetune", params={"model": model.id, "data": gone.id})
    builder.studio.delete(gone.id)
    at = show("finetune", **{"from": f"{run}-finetune"})
    assert at.selectbox(key=key(builder, "finetune", "data")).value is None
    assert any("is gone" in element.value for element in at.markdown)
    assert at.button(key="start_finetune").disabled
    at.selectbox(key=key(builder, "finetune", "data")).set_value(kept.id).run()
    assert not at.button(key="start_finetune").disabled


def test_parameters_are_taken_once_and_by_the_form_of_their_stage(show: Show, builder: StudioBuilder) -> None:
    small = builder.model("small", Kind.ONNX)
    run = builder.run("old", ("package", State.FAILED))
    builder.store.update_job(f"{run}-package", params={"model": small.id, "version": "2.0.0"})
    at = show("quantize", **{"from": f"{run}-package"})
    version = key(builder, "package", "version")
    assert at.text_input(key=version).value == "2.0.0"
    assert "from" not in at.query_params
    at.text_input(key=version).set_value("3.0.0").run()
    assert at.text_input(key=version).value == "3.0.0"
    assert not show("quantize", **{"from": "j-unknown"}).exception


def test_a_key_in_the_wrong_box_is_not_kept(show: Show, builder: StudioBuilder) -> None:
    builder.dataset(), builder.model()
    at = show("teacher")
    at.session_state[key(builder, "teacher", "answerer")] = "endpoint"
    at.run()
    at.text_input(key=key(builder, "teacher", "endpoint_key_env")).set_value("sk-proj-SECRET-123").run()
    assert at.button(key="start_teacher").disabled
    assert "SECRET" not in str(builder.studio.draft(builder.store.project(), "teacher"))


def test_a_path_that_no_upload_has_is_not_read(show: Show, builder: StudioBuilder, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("salary,name\n1,2\n3,4\n")
    builder.studio.save_draft(builder.store.project(), "dataset", {"source": str(tmp_path / "secret.csv")})
    at = show("data")
    assert any("secret.csv” is gone" in element.value for element in at.markdown)
    assert at.button(key="start_dataset").disabled
    assert "salary" not in str(at.main)


def test_a_project_stands_where_its_artifacts_say_after_its_runs_are_cleared(builder: StudioBuilder) -> None:
    data = builder.dataset()
    tuned = builder.model("tuned", Kind.ADAPTER, parents=[data.id])
    imported = builder.model("imported")
    there = completed_stages(builder.studio.artifacts())
    assert there == {"dataset", "finetune"}
    assert next_step(there).row.path.stem == "quantize"
    assert {tuned.id, imported.id} <= {view.id for view in builder.studio.artifacts()}


def test_a_default_model_is_taken_whatever_was_made_since(show: Show, builder: StudioBuilder) -> None:
    base = builder.model()
    builder.model("newer-student")
    builder.dataset()
    assert show("finetune").selectbox(key=key(builder, "finetune", "model")).value == base.id
