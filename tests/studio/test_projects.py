"""The address holds project and place; a project shows its own things, those of others only when somebody asks."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from backend.api import Studio
from backend.core.schemas import Kind, State
from studio.nav import NAV
from studio.ui.forms.pickers import OTHERS
from studio.ui.palette.items import items
from studio.webapp.files import routes
from studio.webapp.project_address import ProjectAddress
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, project_switch, words


@pytest.fixture
def two(builder: StudioBuilder) -> str:
    """A full project and an empty one, whose id it is."""
    builder.store.project("default")
    data, model = builder.dataset("tickets"), builder.model("ticket-model", job="j1")
    builder.evaluation(model, data, 0.9)
    builder.run("ticket-run", ("finetune", State.SUCCEEDED), result={"artifact": model.id, "metrics": {}})
    builder.run("ticket-open", ("finetune", State.WAITING))
    builder.answers("ticket-answers")
    return builder.store.project("Empty")


@pytest.mark.parametrize("page", [row.path.stem for row in NAV if row.file not in ("run.py", "settings.py")])
@pytest.mark.parametrize("language", ["en", "es"])
def test_an_empty_project_is_empty(show: Show, builder: StudioBuilder, two: str, page: str, language: str) -> None:
    at = show(page, language, project=two)
    chosen = [str(box.value) for box in at.selectbox] + [one for box in at.selectbox for one in box.options]
    assert "ticket" not in "\n".join([words(at), *(link.proto.label for link in at.get("page_link")), *chosen])
    assert at.query_params["project"] in (two, [two])


def test_pickers_offer_other_projects_when_asked_and_choose_nothing_of_them(
    show: Show, builder: StudioBuilder, two: str
) -> None:
    at = show("finetune", project=two)
    key = f"form.{two}.finetune.data"
    assert at.selectbox(key=key).value is None and at.button(key="start_finetune").disabled
    at.selectbox(key=key).set_value(OTHERS).run()
    assert at.selectbox(key=key).value is None
    assert any("tickets" in each and "First project" in each for each in at.selectbox(key=key).options)
    at.selectbox(key=key).set_value("dataset-tickets").run()
    assert at.selectbox(key=key).value == "dataset-tickets"
    assert show("finetune", project=two).selectbox(key=key).value == "dataset-tickets", "the draft of the project"


def test_the_fold_holds_what_others_have(show: Show, builder: StudioBuilder, two: str) -> None:
    at = show("models", project=two)
    fold = next(box for box in at.expander if box.label.startswith("From other projects"))
    assert fold.label.endswith("· 1") and "ticket-model" not in words(at)
    at.session_state["others_models"] = True
    assert "ticket-model" in words(at.run())


def test_built_in_models_are_everybody_s(show: Show, builder: StudioBuilder, two: str) -> None:
    model = builder.model()
    assert model.id == "model-smollm2-135m-instruct"
    at = show("finetune", project=two)
    assert at.selectbox(key=f"form.{two}.finetune.model").value == model.id


def test_two_tabs_have_two_projects_and_a_new_one_has_the_last_used(
    show: Show, builder: StudioBuilder, two: str
) -> None:
    first = builder.store.project("default")
    one, other = show("data", project=first), show("data", project=two)
    assert project_switch(show("data")).value == two
    assert project_switch(one.run()).value == first and "tickets" in labels(one)
    assert project_switch(other.run()).value == two and "tickets" not in labels(other)


def test_an_address_that_was_on_its_way_does_not_lead_back_to_the_project_that_was_left(
    show: Show, builder: StudioBuilder, two: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = show("data", project=(first := builder.store.project("default")))
    project_switch(at).set_value(two).run()
    at.query_params["project"] = first
    assert project_switch(at.run()).value == two and at.query_params["project"] in (two, [two])
    monkeypatch.setattr("studio.ui.shared.project._SETTLED", 0.0)
    at.query_params["project"] = first
    assert project_switch(at.run()).value == first


def labels(at: AppTest) -> str:
    return "\n".join(link.proto.label for link in at.get("page_link"))


def test_the_address_follows_the_switch_and_the_links(show: Show, builder: StudioBuilder, two: str) -> None:
    at = show("data", project=builder.store.project("default"), data="dataset-tickets", tab="checks")
    assert all(link.proto.query_string.startswith("project=") for link in at.get("page_link"))
    project_switch(at).set_value(two).run()
    assert dict(at.query_params) in ({"project": two}, {"project": [two]}), "nothing of the last project stays"


@pytest.mark.parametrize("language", ["en", "es"])
def test_an_unknown_project_is_said_with_a_way_out(show: Show, builder: StudioBuilder, two: str, language: str) -> None:
    at = show("models", language, project="p<b>nope")
    assert at.title[0].value == ("Project not found" if language == "en" else "Proyecto no encontrado")
    assert r"p\<b\>nope" in words(at)
    ways = [link.proto.query_string for link in at.main.get("page_link")]
    assert f"project={two}" in ways and len(ways) == 2
    assert at.query_params["project"] in ("p<b>nope", ["p<b>nope"])


def test_a_project_of_the_trash_is_restored_from_its_address(show: Show, builder: StudioBuilder, two: str) -> None:
    full = builder.store.project("default")
    builder.studio.cancel_run("r-ticket-open")
    builder.studio.delete_project(full)
    at = show("models", "es", project=full)
    assert at.title[0].value == "Primer proyecto" and "Este proyecto está en la papelera." in words(at)
    assert project_switch(at).options == ["Empty"] and "ticket-model" not in words(at)
    at.button(key="project_restore").click().run()
    assert "ticket-model" in words(at) and project_switch(at).value == full


def test_what_is_in_a_project_of_the_trash_is_not_found(builder: StudioBuilder, two: str) -> None:
    full = builder.store.project("default")
    assert any("ticket" in each["title"] for each in items(builder.studio, "en", two))
    builder.studio.cancel_run("r-ticket-open")
    builder.studio.delete_project(full)
    found = items(builder.studio, "en", two)
    assert not [each for each in found if "ticket" in each["title"] or each.get("argument") == full]


def test_a_step_is_in_the_address_and_goes_with_it(show: Show, builder: StudioBuilder) -> None:
    at = show("quantize", step="parity")
    assert at.segmented_control(key="step").value == "parity"
    at.segmented_control(key="step").set_value("package").run()
    assert at.query_params["step"] in ("package", ["package"])
    at.query_params.pop("step")  # Back
    at.run()
    assert at.segmented_control(key="step").value == "quantize"
    at.segmented_control(key="step").set_value("package").run()
    at.switch_page("../pages/jobs.py").run()
    at.query_params.clear()
    at.switch_page("../pages/quantize.py").run()  # by the menu
    assert at.segmented_control(key="step").value == "package"
    assert at.query_params["step"] in ("package", ["package"])
    assert show("quantize", step="no such").segmented_control(key="step").value == "quantize"


def test_controls_of_compare_are_in_the_address(show: Show, builder: StudioBuilder) -> None:
    data, model = builder.dataset(), builder.model("one")
    builder.evaluation(model, data, 0.9), builder.evaluation(builder.model("two"), data, 0.8)
    at = show(
        "compare", quality="macro_f1", x="size_bytes", log="1", view="making", picked="evaluation-two on commands"
    )
    assert at.selectbox(key="cmp_quality").value == "macro_f1"
    assert at.segmented_control(key="cmp_x").value == "size_bytes" and at.toggle(key="cmp_log").value
    assert at.segmented_control(key="cmp_section").value == "making"
    at.toggle(key="cmp_log").set_value(False).run()
    assert "log" not in at.query_params


def test_the_index_sends_a_bare_address_to_the_last_used_project(builder: StudioBuilder, two: str) -> None:
    builder.studio.choose_project(two)
    app = Starlette(routes=[Route("/{path:path}", lambda request: PlainTextResponse("page"))])
    web = TestClient(ProjectAddress(app, lambda: builder.studio), follow_redirects=False)
    page = {"accept": "text/html"}
    sent = web.get("/data?step=x%26y", headers=page)
    assert (sent.status_code, sent.headers["location"]) == (307, f"?project={two}&step=x%26y")
    assert sent.headers["cache-control"] == "no-store"
    assert web.get("/", headers=page).headers["location"] == f"?project={two}"
    for path, headers in (("/data?project=any", page), ("/data", {}), ("/static/x.js", page), ("/api/health", page)):
        assert web.get(path, headers=headers).text == "page"


def test_a_project_is_downloaded(builder: StudioBuilder, tmp_path: Path) -> None:
    builder.dataset("tickets")
    id_ = builder.store.project()
    web = TestClient(Starlette(routes=routes(lambda: builder.studio)))
    got = web.get(f"/api/projects/{id_}/export?weights=0")
    assert got.status_code == 200 and "default.slmops.zip" in got.headers["content-disposition"]
    (tmp_path / "p.zip").write_bytes(got.content)
    made = Studio.open(home=tmp_path / "other").import_project(tmp_path / "p.zip")
    assert made.name == "default"
    assert web.get("/api/projects/nope/export").status_code == 404


def test_settings_offer_export_and_import(show: Show, builder: StudioBuilder) -> None:
    builder.model("base", Kind.MODEL)
    builder.run("one", ("finetune", State.SUCCEEDED))
    at = show("settings")
    at.session_state["project_export"] = at.session_state["project_import"] = True
    at.run()
    assert "1 run · 1 dataset, model or other artifact" in words(at)
    assert any("/export?weights=1" in link.proto.url for link in at.get("link_button"))
    at.radio(key="project_export_what").set_value("slim").run()
    assert any("/export?weights=0" in link.proto.url for link in at.get("link_button"))
    st.cache_resource.clear()
