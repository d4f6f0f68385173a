"""The steps of the page Teacher that make and filter rows, and what they show of their results."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.schemas import ArtifactView, Kind, State
from backend.data import filter_report
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts
from backend.data.filter_report import Diversity, Drop, FilterReport, Point
from studio.ui.curation.charts import classes_chart, map_chart, reasons_chart
from tests.studio.builder import LABELS, StudioBuilder
from tests.studio.conftest import Show, words

WILD = "**bold** <script>alert(1)</script> شكرا"
DROPS = [
    *(Drop(Row(id=f"n{n}", input=f"near {n}", output=LABELS[0]), "near_duplicate", f"r{n}") for n in range(7)),
    Drop(Row(id="u", input=WILD, output=LABELS[1], gold=LABELS[2], confidence=0.25), "unsure"),
]


def curated(builder: StudioBuilder, name: str = "clean", project: str = "default") -> ArtifactView:
    """A dataset as the stage curate leaves it."""
    source = builder.studio.settings.jobs / f"build-{name}"
    source.mkdir(parents=True)
    rows = [Row(id=f"r{n}", input=f"turn on lamp {n}", output=LABELS[n % 3]) for n in range(12)]
    write_template(source, Template(answer="label", labels=LABELS))
    write_split(source, "train", rows)
    before = [*rows, *(drop.row for drop in DROPS)]
    points = [
        Point(x=at, y=at % 5, state="dropped" if at > 11 else "kept", text=row.input) for at, row in enumerate(before)
    ]
    counts = {"near_duplicate": 7, "unsure": 1}
    report = FilterReport(
        before=Diversity.of(before, 0.9, LABELS), after=Diversity.of(rows, 0.9, LABELS), dropped=counts, points=points
    )
    filter_report.write_report(source, report, DROPS)
    facts = {**data_facts(source), "teacher": "big", "curated": counts}
    return builder.keep(Kind.DATASET, name, source, facts, project=project)


def at_step(show: Show, step: str, language: str = "en") -> AppTest:
    at = show("home", language)
    at.query_params["step"] = step
    at.switch_page("../pages/teacher.py").run()
    assert not at.exception, at.exception
    return at


def texts(at: AppTest) -> list[str]:
    return [element.value for element in at.text]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Kept and dropped rows", "Reasons", "Rows per class", "Input map")),
        ("es", ("Filas conservadas y descartadas", "Motivos", "Filas por clase", "Mapa de entradas")),
    ],
)
def test_a_filtered_dataset_shows_what_went_and_why(
    show: Show, builder: StudioBuilder, language: str, said: tuple[str, ...]
) -> None:
    curated(builder), curated(builder, "elsewhere", project="Other")
    at = at_step(show, "curate", language)
    drawn = words(at)
    assert [part for part in said if part not in drawn] == []
    assert [m.value for m in at.metric if m.label in ("Rows", "Filas")] == ["12"]
    reason = at.selectbox(key="curation_reason")
    assert [option.rpartition("· ")[2] for option in reason.options] == ["7", "1"]
    assert texts(at)[::2] == [f"near {n}" for n in range(5)]
    assert len(at.selectbox(key="curation_data").options) == 1


def test_rows_that_went_are_plain_text_with_what_is_known_of_them(show: Show, builder: StudioBuilder) -> None:
    curated(builder)
    at = at_step(show, "curate")
    at.selectbox(key="curation_reason").set_value("unsure").run()
    assert texts(at) == [WILD, LABELS[1]]
    (about,) = [each.value for each in at.caption if LABELS[2] in each.value]
    assert "human label" in about.replace("\\", "") and "25.0%" in about


def test_nothing_made_yet_says_what_to_do_and_answering_shows_nothing_of_it(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    at = at_step(show, "generate")
    assert "Nothing generated or filtered yet." in words(at)
    assert "Kept and dropped rows" not in words(show("teacher"))


def test_curate_starts_with_what_was_chosen(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    answers = builder.dataset("answers")
    run = builder.run("ask", ("teacher", State.SUCCEEDED))
    builder.store.update_job(f"{run}-teacher", result={"artifact": answers.id, "metrics": {}})
    at = at_step(show, "curate")
    at.number_input(key=f"form.{builder.store.project()}.curate.min_confidence").set_value(0.5).run()
    at.button(key="start_curate").click().run()
    started = builder.store.runs()[0].jobs[0]
    assert (started.stage, started.params["data"], started.params["min_confidence"]) == ("curate", answers.id, 0.5)


def test_generate_takes_a_model_as_it_was_brought(show: Show, builder: StudioBuilder) -> None:
    builder.dataset()
    base = builder.model()
    job = builder.run("tune", ("finetune", State.SUCCEEDED))
    builder.model("tuned", Kind.ADAPTER, job=f"{job}-finetune")
    at = at_step(show, "generate")
    assert at.selectbox(key=f"form.{builder.store.project()}.generate.model").value == base.id
    at.button(key="start_generate").click().run()
    started = next(job for run in builder.store.runs() for job in run.jobs if job.stage == "generate")
    assert started.params["model"] == base.id and started.params["method"] == "self_instruct"


def test_charts_hold_the_figures_and_no_markup() -> None:
    bars = reasons_chart({"unsure": 1, "near_duplicate": 7})
    assert bars["data"][0]["x"] == [1, 7] and "near duplicate" in bars["layout"]["yaxis"]["ticktext"][1]
    names = [f"<b>{n}</b>" for n in range(40)]
    before = Diversity(
        rows=1, distinct_1=1, distinct_2=1, near_duplicates=0, classes={name: n for n, name in enumerate(names)}
    )
    after = before.model_copy(update={"classes": {names[39]: 5}})
    classes = classes_chart(before, after)
    assert classes["layout"]["yaxis"]["ticktext"][-1] == "&lt;b&gt;39&lt;/b&gt;" and len(classes["data"][0]["x"]) == 25
    assert (classes["data"][0]["x"][-1], classes["data"][1]["x"][-1]) == (5, 39)
    cloud = map_chart(
        [Point(x=0, y=0, state="dropped", text="<b>x"), Point(x=1, y=0, state="seed", text="y", label="l")]
    )
    assert [trace["text"] for trace in cloud["data"]] == [["&lt;b&gt;x"], ["y<br><b>l</b>"]]
