"""The ablation on the page Distill: empty, ready, at work, failed, finished, in both languages; the routes beside the form."""

from __future__ import annotations

import csv
import io

import pytest
from streamlit.testing.v1 import AppTest

from backend.core.schemas import RunView, State
from backend.planning.ablation.results import Ablation
from studio.paths import HERE
from studio.ui.ablation.chart import ablation_chart, drawn
from studio.ui.ablation.labels import headline, percentage_points, verdicts
from studio.ui.ablation.results import ablation_csv
from tests.helpers import PATIENCE
from tests.planning.ablation.ablation_builder import AblationBuilder
from tests.planning.ablation.test_results import RIGHT
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import words


def show(step: str = "ablation", language: str = "en") -> AppTest:
    at = AppTest.from_file(str(HERE / "app.py"), default_timeout=PATIENCE)
    at.session_state["lang"], at.query_params["step"] = language, step
    at.run()
    at.switch_page("../pages/distill.py").run()
    assert not at.exception, at.exception
    return at


def finished(lab: AblationBuilder, **right: int) -> Ablation:
    run = lab.start()
    lab.finish_all(run, RIGHT | {name.replace("_", "-"): value for name, value in right.items()})
    return lab.builder.studio.ablation(run.id)


@pytest.mark.parametrize(
    ("language", "nothing", "needs", "start"),
    [
        ("en", "No ablation in this project yet.", "a dataset with labelled rows", "Start ablation"),
        ("es", "Aún no hay ablaciones", "que responda", "Iniciar ablación"),
    ],
)
def test_empty(builder: StudioBuilder, language: str, nothing: str, needs: str, start: str) -> None:
    at = show(language=language)
    assert nothing in words(at)
    if language == "en":
        assert needs in words(at)
    button = at.button(key="start_ablation")
    assert button.label == start and button.disabled


def test_the_form_proposes_and_the_button_starts_the_whole_run(builder: StudioBuilder) -> None:
    lab = AblationBuilder(builder)
    at = show()
    project = builder.store.project()
    chosen = {name: at.session_state[f"form.{project}.ablation.{name}"] for name in ("data", "gold")}
    assert chosen == {"data": lab.answers.id, "gold": lab.gold.id}
    at.selectbox(key=f"form.{project}.ablation.student").set_value(lab.student.id).run()
    at.number_input(key=f"form.{project}.ablation.seeds").set_value(2).run()
    at.number_input(key=f"form.{project}.ablation.max_steps").set_value(15).run()
    assert "6 training jobs · 8 evaluations" in words(at)
    assert not at.button(key="start_ablation").disabled
    at.button(key="start_ablation").click().run()
    assert not at.exception
    (run,) = builder.studio.ablations(project)
    trained = {job.stage_id: job.params for job in run.jobs if job.stage == "distill"}
    assert len(trained) == 6 and {each["max_steps"] for each in trained.values()} == {15}
    assert {each["student"] for each in trained.values()} == {lab.student.id}
    assert "0 of 15 steps done" in words(at)


def test_a_wrong_number_stands_at_its_field(builder: StudioBuilder) -> None:
    AblationBuilder(builder)
    at = show()
    at.number_input(key=f"form.{builder.store.project()}.ablation.seeds").set_value(9).run()
    assert at.button(key="start_ablation").disabled
    assert "5" in "".join(each.value for each in at.markdown if ":red[:material/error:]" in each.value)


@pytest.mark.parametrize(("language", "so_far"), [("en", "So far:"), ("es", "Hasta ahora:")])
def test_at_work_it_shows_what_is_there(builder: StudioBuilder, language: str, so_far: str) -> None:
    lab = AblationBuilder(builder)
    run = lab.start()
    for step in ("base-eval", "gold-42", "gold-42-eval"):
        lab.finish(run, step, **({"right": RIGHT[step.removesuffix("-eval")]} if step.endswith("-eval") else {}))
    text = words(show(language=language))
    assert so_far in text
    assert ("3 of 15 steps done" if language == "en" else "3 de 15 etapas terminadas") in text


def test_the_page_opens_where_work_goes_on_and_trainings_are_not_listed_twice(builder: StudioBuilder) -> None:
    lab = AblationBuilder(builder)
    run = lab.start()
    builder.store.update_job(run.jobs[3].id, state=State.RUNNING)
    at = AppTest.from_file(str(HERE / "app.py"), default_timeout=PATIENCE).run()
    at.switch_page("../pages/distill.py").run()
    assert at.session_state["step"] == "ablation"
    assert run.jobs[3].stage == "distill" and "gold-42" not in words(show("distill"))


@pytest.mark.parametrize(("language", "why"), [("en", "The process ran out of memory."), ("es", "sin memoria")])
def test_failed_says_why(builder: StudioBuilder, language: str, why: str) -> None:
    run = AblationBuilder(builder).start()
    _fail(builder, run)
    text = words(show(language=language))
    assert why in text
    assert ("Failed" if language == "en" else "Fallido") in text


def _fail(builder: StudioBuilder, run: RunView) -> None:
    for job in run.jobs:
        state = State.FAILED if job.stage_id == "gold-42" else State.BLOCKED
        error = {"code": "core.memory_out", "args": {}} if state is State.FAILED else None
        builder.store.update_job(job.id, state=state, error=error)


@pytest.mark.parametrize(
    ("language", "verdict", "sentence"),
    [
        ("en", "Distillation helped.", "Sequence distillation scored 22.5 points above training on the labelled rows"),
        (
            "es",
            "La destilación ha merecido la pena.",
            "La destilación de secuencias supera a",
        ),
    ],
)
def test_finished_gives_verdict_chart_and_table(
    builder: StudioBuilder, language: str, verdict: str, sentence: str
) -> None:
    finished(AblationBuilder(builder))
    at = show(language=language)
    text = words(at).replace("\\", "")
    assert verdict in text and sentence in text
    assert len(at.get("plotly_chart")) == 1 and len(at.get("download_button")) == 1
    even = (
        "No significant difference between logit distillation" if language == "en" else "Sin diferencia significativa"
    )
    assert even in text


def test_verdicts_are_honest(builder: StudioBuilder) -> None:
    lab = AblationBuilder(builder)
    worse = finished(lab, sequence_42=2, sequence_43=2, logit_42=3, logit_43=3)
    assert headline(worse) == (
        "warning",
        "Distillation did not help: training on the labelled rows alone scores higher.",
    )
    assert "Sequence distillation scored 50.0 points below training on the labelled rows" in verdicts(worse)[0]
    even = finished(lab, sequence_42=20, sequence_43=24, logit_42=21, logit_43=23)
    assert headline(even) == ("info", "No proven gain from distillation.")
    assert "on 40 rows and 2 seeds" in verdicts(even)[0]
    few = finished(lab, sequence_42=22, sequence_43=27, logit_42=20, logit_43=24)
    assert "differ on only 5 rows" in verdicts(few)[0]
    assert percentage_points(-0.004) == "−0.4"


def test_an_untrained_student_far_below_is_not_in_the_chart(builder: StudioBuilder) -> None:
    found = finished(AblationBuilder(builder))
    near, far = found.arms[0], found.arms[0].model_copy(update={"mean": -2.0, "low": -2.0, "high": -2.0})
    assert drawn([near, *found.arms[1:]])[0] is near
    assert drawn([far, *found.arms[1:]]) == found.arms[1:]


def test_chart_and_csv_hold_the_figures(builder: StudioBuilder) -> None:
    found = finished(AblationBuilder(builder))
    means, seeds = ablation_chart(found)["data"]
    assert means["y"][:2] == [pytest.approx(0.1), pytest.approx(0.55)]
    assert means["error_y"]["array"][1] == pytest.approx(found.arms[1].high - 0.55)
    assert len(seeds["y"]) == 6
    lines = list(csv.DictReader(io.StringIO(ablation_csv(found).removeprefix("\ufeff"))))
    assert len(lines) == 8
    gold = [line for line in lines if line["variant"] == "gold"]
    assert [(line["seed"], float(line["score"]), line["training_seconds"]) for line in gold] == [
        ("42", 0.5, "30.0"),
        ("43", 0.6, "30.0"),
    ]
    assert float(next(line for line in lines if line["variant"] == "sequence")["against_gold"]) == pytest.approx(0.225)


@pytest.mark.parametrize(("language", "best"), [("en", "Recommended"), ("es", "Recomendada")])
def test_routes_stand_beside_the_form_that_trains(builder: StudioBuilder, language: str, best: str) -> None:
    lab = AblationBuilder(builder)
    at = show("distill", language)
    at.selectbox(key=f"form.{builder.store.project()}.distill.student").set_value(lab.student.id).run()
    assert best in words(at)
    assert ("Answers (sequence)" if language == "en" else "Respuestas (secuencia)") in words(at)
