"""What the palette lists and does, the tour's offer, and the help, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from backend.core.schemas import Kind, State
from backend.stages import stages
from studio.nav import NAV
from studio.ui.help.chapters import OF_PAGE, chapters
from studio.ui.palette import actions
from studio.ui.palette.items import items
from studio.ui.palette.shortcuts import GO, letter_of
from studio.webapp.palette import palette_routes
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


def test_every_page_of_the_menu_has_a_letter_of_its_own() -> None:
    shown = [row for row in NAV if not row.hidden]
    assert all(letter_of(row) for row in shown) and len(set(map(letter_of, shown))) == len(shown)
    assert "g" not in GO and all(re.fullmatch("[a-z]", letter) for letter in GO)


def test_it_lists_everything_things_of_the_project_first(builder: StudioBuilder) -> None:
    studio = builder.studio
    other = studio.create_project("Other").id
    data, model = builder.dataset(), builder.model("student")
    theirs = builder.artifact(Kind.MODEL, "theirs", {"parameters": 1}, project="Other")
    run = builder.run("tickets", ("finetune", State.SUCCEEDED))
    mine = studio.chosen_project().id
    found = items(studio, "en", mine)
    by_kind = {
        kind: [one for one in found if one["kind"] == kind] for kind in ("page", "run", "model", "data", "project")
    }
    assert [one["page"] for one in by_kind["page"]] == [row.path.stem for row in NAV if not row.hidden]
    assert by_kind["run"][0]["query"] == {"id": run}
    assert [one["title"] for one in by_kind["model"]] == ["student", "theirs"]
    assert by_kind["model"][1]["sub"] == "Other" and by_kind["model"][0]["query"] == {"model": model.id}
    assert by_kind["model"][1]["query"] == {"model": theirs.id, "project": other}, "it leads into its project"
    assert by_kind["data"][0]["query"] == {"data": data.id}
    assert [(one["title"], one["argument"]) for one in by_kind["project"]] == [("Other", other)]
    assert {"page": "playground", "query": {"models": model.id}}.items() <= next(
        one for one in found if one["title"] == "Chat with student"
    ).items()


def test_the_route_speaks_the_language_that_it_is_asked_in(builder: StudioBuilder) -> None:
    from starlette.applications import Starlette

    client = TestClient(Starlette(routes=palette_routes(lambda: builder.studio)))
    titles = {
        language: [one["title"] for one in client.get("/api/palette", params={"lang": language}).json()["items"]]
        for language in ("en", "es", "xx")
    }
    assert "Playground" in titles["en"] and "Zona de pruebas" in titles["es"] and titles["xx"] == titles["en"]
    assert "Pause the queue" in titles["en"] and "Resume the queue" not in titles["en"]


def test_what_a_browser_says_is_looked_at(builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    went: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr("streamlit.switch_page", lambda path, query_params: went.append((path.stem, query_params)))
    actions.act({"page": "../secret"})
    actions.act({"act": "rm", "argument": "x"})
    actions.act({"act": "project", "argument": "no such project"})
    assert went == []
    actions.act({"page": "models", "query": {"model": "m-1"}})
    actions.act({"act": "new_project", "argument": "Invoices"})
    home, invoices = builder.studio.project_named("default"), builder.studio.chosen_project()
    assert invoices.name == "Invoices"
    assert went == [("models", {"project": home.id, "model": "m-1"}), ("home", {"project": invoices.id})]
    actions.act({"act": "pause"})
    assert builder.studio.jobs.paused()
    actions.act({"act": "resume"})
    assert not builder.studio.jobs.paused()


@pytest.mark.parametrize(("language", "offer"), [("en", "New here?"), ("es", "¿Es tu primera vez?")])
def test_the_tour_is_offered_until_it_is_put_aside(show: Show, language: str, offer: str) -> None:
    at = show("home", language)
    assert offer in words(at)
    at.button(key="tour_dismiss").click().run()
    assert offer not in words(at)
    again = show("home", language)
    again.button(key="tour_start").click().run()
    assert offer not in words(again) and again.session_state["tour"] == 1


def test_the_chapters_are_the_same_in_both_languages() -> None:
    english, spanish = chapters("en"), chapters("es")
    assert [one.id for one in english] == [one.id for one in spanish] and chapters("xx") == english
    assert {row.path.stem for row in NAV} == set(OF_PAGE) and set(OF_PAGE.values()) <= {one.id for one in english}
    for one, other in zip(english, spanish, strict=True):
        assert one.title != other.title and one.text != other.text
        assert min(len(one.text), len(other.text)) > 400, one.id
        assert one.text.count("\n- ") == other.text.count("\n- ") and one.text.count("|") == other.text.count("|")


def test_the_help_shows_the_chapter_of_its_address(show: Show) -> None:
    at = show("help", chapter="keys")
    assert at.header[0].value == "Keys and privacy" and "slmops endpoints key set" in words(at)
    assert show("help", "es").header[0].value == "Visión general"
    assert at.query_params["chapter"] == "keys"


def test_commands_in_the_help_exist() -> None:
    text = "\n".join(chapter.text for language in ("en", "es") for chapter in chapters(language))
    reference = (Path(__file__).parents[2] / "docs" / "reference" / "commands.md").read_text("utf-8")
    commands = {" ".join(found.split()) for found in re.findall(r"`slmops ([a-z ]+?)(?: [A-Z]+)?`", text)}
    assert commands and all(f"slmops {command}" in reference for command in commands)


def test_a_sample_becomes_the_source_of_the_form(show: Show, builder: StudioBuilder) -> None:
    assert show("data", "es").button(key="use_sample_sort").label == "Usar esta muestra"
    at = show("data")
    at.button(key="use_sample_sort").click().run()
    (upload,) = builder.studio.uploads()
    key = f"form.{builder.store.project()}.dataset"
    assert at.selectbox(key=f"{key}.source").value == str(upload.path)
    assert "billing" in upload.path.read_text("utf-8") and "CC0-1.0" in words(at)
    at.button(key="start_dataset").click().run()
    (run,) = builder.store.runs()
    assert run.jobs[0].params["license"] == "CC0-1.0"


def test_every_field_of_every_step_says_what_it_is_for() -> None:
    """The sentence beside the field is more than its title."""
    for name, each in stages().items():
        for field, info in each.params.model_fields.items():
            assert info.title and len((info.description or "").split()) >= 4, f"{name}.{field}"
