"""What changes under an open page: results without a reload, the order of jobs, cancel and undo, the form of a failed job, the
bell and what the browser's tab asks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from backend.core.schemas import Kind, State
from backend.db import tables as t
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import duration_range
from studio.webapp.live import live_routes
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


def links(at: AppTest) -> list[str]:
    return [link.proto.label for link in at.main.get("page_link")]


def finish(builder: StudioBuilder, run: str, stage: str) -> None:
    """As a worker does it: what was made, then the end of its job."""
    made = builder.model("mine", Kind.ADAPTER, job=f"{run}-{stage}")
    result = {"artifact": made.id, "metrics": {"train_loss": 1.2}}
    builder.store.update_job(f"{run}-{stage}", state=State.SUCCEEDED, ended=t.now(), seconds=90.0, result=result)


@pytest.mark.parametrize("page", ["run", "finetune"])
def test_what_a_job_made_is_there_at_the_first_look_after_its_end(
    show: Show, builder: StudioBuilder, page: str
) -> None:
    run = builder.run("live", ("finetune", State.RUNNING))
    at = show(page, **({"run": run} if page == "run" else {}))
    assert "Try it" not in links(at)
    finish(builder, run, "finetune")
    assert {"Try it", "View model"} <= set(links(at.run()))


def test_the_result_stands_above_the_form_with_figures_and_the_next_step(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    run = builder.run("live", ("finetune", State.RUNNING))
    at = show("finetune")
    finish(builder, run, "finetune")
    at.run()
    assert "**Fine-tune is done** · mine" in words(at)
    assert "Next: Quantize" in links(at)
    assert "Results so far" not in words(at), "it is shown once"
    assert "Fine-tune is done" not in words(show("finetune")), "who comes later finds it below the form"


def test_a_dataset_is_shown_with_its_rows(show: Show, builder: StudioBuilder) -> None:
    run = builder.run("live", ("dataset", State.RUNNING))
    at = show("data")
    made = builder.dataset()
    builder.store.update_job(f"{run}-dataset", state=State.SUCCEEDED, ended=t.now(), result={"artifact": made.id})
    at.run()
    assert {"Training rows": "20", "Unlabelled rows": "12"}.items() <= {
        each.label: each.value for each in at.metric
    }.items()
    assert "turn on the kitchen light 0 → **HassTurnOn**" in words(at)


def test_jobs_of_a_stage_stand_in_their_order(show: Show, builder: StudioBuilder) -> None:
    builder.worker()
    for minutes, name, state in ((9, "running", State.RUNNING), (8, "next", State.WAITING), (7, "last", State.WAITING)):
        builder.run(name, ("finetune", state), minutes_ago=minutes)
    builder.run("other", ("finetune", State.WAITING), minutes_ago=10, project="Mails")
    at = show("finetune")
    named = re.findall(r"running|next|last|other", "\n".join(label for label in links(at) if "#" in label))
    assert named == ["running", "next", "last"]
    assert "No. 2 in queue" in words(at) and "2 queued" in words(at)


def test_a_cancel_can_be_taken_back_and_the_next_button_rests(show: Show, builder: StudioBuilder) -> None:
    for name, minutes in (("one", 9), ("two", 8)):
        builder.run(name, ("finetune", State.WAITING), minutes_ago=minutes)
    at = show("jobs")
    at.button(key="cancel_r-one-finetune").click()
    at.button(key="cancel_r-two-finetune").click().run()  # the second click of a double one, before the page was drawn
    assert builder.studio.job("r-one-finetune").state is State.CANCELLED
    assert at.button(key="cancel_r-two-finetune").disabled
    assert builder.studio.job("r-two-finetune").state is State.WAITING
    assert "Fine-tune cancelled" in words(at)
    at.button(key="undo").click().run()
    assert builder.studio.job("r-one-finetune").state is State.WAITING
    assert [toast.value for toast in at.toast] == ["Back in the queue."]
    assert "Fine-tune cancelled" not in words(at)


@pytest.mark.parametrize(("worked", "asks"), [(30, False), (90, True)])
def test_more_than_a_minute_of_work_is_asked_about(show: Show, builder: StudioBuilder, worked: int, asks: bool) -> None:
    builder.run("long", ("finetune", State.RUNNING), started=t.now() - timedelta(seconds=worked))
    at = show("jobs")
    at.button(key="cancel_r-long-finetune").click().run()
    assert (builder.studio.job("r-long-finetune").state is State.RUNNING) == asks
    if asks:
        assert "Cancel after 1 min 3" in words(at) and at.button(key="cancel_yes_r-long-finetune").disabled
        at.button(key="cancel_no_r-long-finetune").click().run()
        assert at.button(key="cancel_r-long-finetune")


def test_correct_the_form_marks_the_field_that_the_remedy_names(show: Show, builder: StudioBuilder) -> None:
    file = builder.studio.settings.home / "uploads" / "0123456789abcdef" / "x.csv"
    file.parent.mkdir(parents=True)
    rows = [f"text number {number},{'ab'[number % 2]}" for number in range(40)]
    file.write_text("\n".join(["text,label", *rows, *[",a"] * 8]), "utf-8")
    error = {"code": "data.input_empty", "args": {"file": "x.csv", "count": 8, "places": "42, 43"}}
    run = builder.run("bad", ("dataset", State.FAILED), error=error, params={"source": str(file)})
    job = builder.studio.job(f"{run}-dataset")
    at = show("data", **{"from": job.id, "correct": "1"})
    key = f"form.{job.project}.dataset.on_bad_row"
    advanced = next(box for box in at.expander if box.label == "Advanced · 1 problem")
    assert advanced.proto.expanded and "8 row" in "\n".join(each.value for each in advanced.markdown)
    at.segmented_control(key=key).set_value("skip").run()
    advanced = next(box for box in at.expander if box.label == "Advanced")
    assert advanced.proto.expanded  # it stays open
    assert "8 row" not in "\n".join(each.value for each in advanced.markdown)


def test_the_bell_tells_what_ended_until_it_is_read(show: Show, builder: StudioBuilder) -> None:
    builder.run("old", ("finetune", State.SUCCEEDED), minutes_ago=60)
    at = show("jobs")
    assert "Nothing new." not in words(at)
    assert "Nothing new." in words(_open_bell(at))
    for name, state in (("good", State.FINDINGS), ("bad", State.FAILED), ("stopped", State.CANCELLED)):
        builder.run(name, ("finetune", state))
        builder.store.update_job(f"r-{name}-finetune", ended=t.now())
    builder.run("far", ("finetune", State.SUCCEEDED), project="Mails")
    at = _open_bell(show("jobs"))
    told = [each.proto.label for each in at.sidebar.get("page_link") if each.proto.page == "run"]
    assert told == ["bad failed", "good is done, with findings"]
    at.button(key="bell_read").click().run()
    assert "Nothing new." in words(_open_bell(show("jobs")))


def _open_bell(at: AppTest) -> AppTest:
    at.session_state["bell"] = True
    return at.run()


@pytest.mark.parametrize(("lang", "said"), [("en", "bad failed"), ("es", "bad: ha fallado"), ("xx", "bad failed")])
def test_what_a_tab_asks(builder: StudioBuilder, lang: str, said: str) -> None:
    project = builder.store.project()
    client = TestClient(Starlette(routes=live_routes(api_cache.studio)))
    ask = {"project": project, "lang": lang}
    builder.run("now", ("finetune", State.RUNNING))
    assert client.get("/api/live", params=ask).json() == {"percent": 35, "busy": True, "unread": [], "news": []}
    builder.run("bad", ("finetune", State.FAILED))
    builder.store.update_job("r-bad-finetune", ended=t.now())
    (told,) = client.get("/api/live", params=ask).json()["news"]
    assert (told["title"], told["url"]) == (said, f"/run?project={project}&id=r-bad")
    assert client.get("/api/live", params={"project": "nobody"}).json()["news"] == []


@pytest.mark.parametrize(
    ("least", "most", "said"),
    [
        (0.2, 0.4, "1 s"),
        (3.2, 8, "3–8 s"),
        (22, 43, "20–45 s"),
        (40, 118, "40 s – 2 min"),
        (130, 260, "2–5 min"),
        (1500, 2400, "25–40 min"),
        (5500, 9000, "1.5–2.5 h"),
        (58, 60, "55 s – 1 min"),
    ],
)
def test_a_range_of_time_is_coarse(least: float, most: float, said: str) -> None:
    assert duration_range(least, most) == said
