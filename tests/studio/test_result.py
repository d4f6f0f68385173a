"""The result page: gains and losses said as they are, of whole runs and of runs that broke off."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.api.guide import GOALS, PRESETS, Material, Wish, plan_guided
from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind, State
from backend.data.gates.base import Found
from backend.data.gates.model import Finding, ScoreCard
from backend.data.gates.report import REPORT, write_report
from backend.db import tables as t
from backend.results.report import html
from backend.results.run_result import run_result
from studio.ui.result.comparison import comparison_rows
from studio.ui.result.report import result_report
from studio.ui.result.words import teacher_price
from studio.ui.shared.formatting import progress_line, run_left, stage_label
from tests.studio.builder import QUOTE, StudioBuilder
from tests.studio.conftest import Show, words

CHAIN = ("dataset", "check_data", "finetune", "teacher", "distill", "quantize", "package")


def distilled(builder: StudioBuilder, student: float, teacher: float, plain: float = 0.5) -> dict[str, ArtifactView]:
    """A run `mails` of a tuned teacher, a student and its INT4 form, all measured and packed."""
    data = builder.dataset("mails")
    base = builder.model("base")
    large = builder.model("large", Kind.ADAPTER, parents=[base.id, data.id])
    answers = builder.answers("answers", teacher="large")
    small = builder.model("small", parents=[large.id, answers.id])
    int4 = builder.model("small-int4", Kind.ONNX, parents=[small.id])
    made = {"dataset": data, "finetune": large, "teacher": answers, "distill": small, "quantize": int4}
    evaluations = {
        "eval_teacher": builder.evaluation(large, data, teacher, plain=plain, size_bytes=500e6, latency_ms_p50=300.0),
        "eval_int4": builder.evaluation(int4, data, student, plain=plain, size_bytes=50e6, latency_ms_p50=30.0),
    }
    made["package"] = builder.artifact(
        Kind.PACKAGE, "mails", {"zip": "z.zip", "zip_bytes": 9}, {"z.zip": "x"}, parents=[int4.id]
    )
    builder.run("mails", *((stage, State.SUCCEEDED) for stage in CHAIN if stage != "check_data"))
    for stage, view in made.items():
        builder.store.update_job(f"r-mails-{stage}", result={"artifact": view.id})
    builder.store.update_job("r-mails-teacher", params={"model": large.id, "data": data.id})
    builder.store.update_job("r-mails-package", params={"model": int4.id})
    return made | evaluations


def measured(builder: StudioBuilder, made: dict[str, ArtifactView]) -> None:
    """The evaluations belong to jobs of the run."""
    with builder.store.session() as session:
        for name, model in (("eval_teacher", "finetune"), ("eval_int4", "quantize")):
            job = t.Job(
                id=f"r-mails-{name}",
                run_id="r-mails",
                stage_id=name,
                stage="evaluate",
                params={"model": made[model].id, "data": made["dataset"].id},
                needs=[],
                state=State.SUCCEEDED,
                queue="cpu",
                created=t.now(),
                result={"artifact": made[name].id},
            )
            session.add(job)


@pytest.mark.parametrize(
    ("student", "teacher", "said"),
    [(0.9, 0.2, "better than its teacher (20.0%)"), (0.2, 0.9, "worse than its teacher (90.0%)")],
)
def test_win_and_loss_are_said_alike(
    show: Show, builder: StudioBuilder, student: float, teacher: float, said: str
) -> None:
    measured(builder, distilled(builder, student, teacher))
    at = show("result", run="r-mails")
    assert said in words(at).replace("\\", "")
    assert "Against its teacher: 10× smaller, 10× faster" in words(at).replace("\\", "")


def test_small_difference_is_no_gain(show: Show, builder: StudioBuilder) -> None:
    measured(builder, distilled(builder, 0.85, 0.8))
    assert "no clear difference on 20 unseen rows" in words(show("result", run="r-mails"))


def test_model_that_loses_to_the_quick_baseline_is_not_praised(show: Show, builder: StudioBuilder) -> None:
    measured(builder, distilled(builder, 0.6, 0.55, plain=0.9))
    assert not [link for link in show("result", run="r-mails").get("link_button") if "baseline" in link.proto.label]
    kept = builder.artifact(Kind.REPORT, "mails baseline", {"report": "baseline", "kept": "classifier"})
    with builder.store.session() as session:
        about = {"params": {}, "needs": [], "state": State.SUCCEEDED, "queue": "cpu", "result": {"artifact": kept.id}}
        session.add(t.Job(id="r-mails-plain", run_id="r-mails", stage_id="plain", stage="baseline", **about))
    at = show("result", run="r-mails")
    (link,) = [link for link in at.get("link_button") if link.proto.label == "Download the baseline"]
    assert kept.id in link.proto.url
    assert "60.0%: no better than a quick baseline" in at.main.header[0].value.replace("\\", "")
    assert "Keep the baseline" in words(at)
    links = [element.proto.label for element in at.main.get("page_link")]
    assert {"Add rows", "Edit the run", "Show the baseline"} <= set(links)
    assert "no better than a quick baseline" in words(show("home")).replace("\\", ""), "nor on Home"


def test_model_that_beats_the_quick_baseline_has_no_ways_out(show: Show, builder: StudioBuilder) -> None:
    measured(builder, distilled(builder, 0.9, 0.85, plain=0.3))
    assert "Use the baseline" not in words(show("result", run="r-mails"))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (0.2, "INT4 lost quality: 90.0% before, 20.0% after"),
        (0.75, "INT4 may have lost quality: 90.0% before, 75.0% after"),
    ],
)
def test_loss_by_four_bits_is_said_with_the_way_on(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch, after: float, said: str
) -> None:
    monkeypatch.setattr("studio.ui.result.try_it.served", dict)
    made = distilled(builder, after, 0.85)
    measured(builder, made)
    plain = builder.evaluation(made["distill"], made["dataset"], 0.9)
    builder.store.update_job("r-mails-distill", result={"artifact": made["distill"].id})
    builder.run("more", ("evaluate", State.SUCCEEDED))
    with builder.store.session() as session:
        job = session.get(t.Job, "r-more-evaluate")
        assert job
        job.run_id, job.stage_id, job.result = "r-mails", "eval_student", {"artifact": plain.id}
    at = show("result", run="r-mails")
    assert said in words(at).replace("\\", "")
    assert [link.proto.label for link in at.main.get("link_button")][:2] == [
        "Download the model before INT4",
        "Download INT4",
    ]
    chosen = at.selectbox(key="result_of_r-mails")
    assert chosen.value == made["distill"].id, "the box to try it takes what the page recommends"
    assert chosen.options[0] == "small · 90.0% · recommended" and chosen.options[1].startswith("small-int4 · ")
    compared = run_result(builder.studio.run("r-mails"), builder.studio.artifacts())
    assert [row[0] for row in comparison_rows(compared)[1]][:2] == ["Your model before INT4\nsmall", "INT4\nsmall-int4"]
    assert "Go to Quantize" in [element.proto.label for element in at.main.get("page_link")]


def test_page_has_figures_package_and_the_ways_on(show: Show, builder: StudioBuilder) -> None:
    measured(builder, distilled(builder, 0.9, 0.85))
    at = show("result", "es", run="r-mails")
    assert {metric.label for metric in at.metric} == {
        "Exactitud",
        "Tamaño en disco",
        "Latencia, mediana",
        "Memoria máxima",
    }
    assert "IC 95 %: " in words(at)
    assert {"Todos los pasos", "Comparar todos los modelos"} <= {e.proto.label for e in at.main.get("page_link")}
    assert at.button(key="result_serve").label


def test_answers_in_free_text_are_counted(show: Show, builder: StudioBuilder) -> None:
    made = distilled(builder, 0.15, 0.2)
    measured(builder, made)
    figures = {"token_f1": 0.91, "exact_match": 0.25, "numbers_right": 0.15, "number_rows": 20.0}
    with builder.store.session() as session:
        for name in ("eval_int4", "eval_teacher"):
            row = session.get(t.Artifact, made[name].id)
            assert row
            row.facts = {fact: value for fact, value in row.facts.items() if not fact.startswith("accuracy")} | figures
            n = int(row.facts["n"])
    said = words(show("result", run="r-mails")).replace("\\", "")
    assert f"Exactly right: {round(n / 4)} of {n} answers. All numbers right: 3 of 20 answers with numbers." in said


def test_a_run_at_work_tells_the_time_of_its_step_from_that_of_all(builder: StudioBuilder) -> None:
    run = builder.studio.run(builder.run("mails", ("finetune", State.RUNNING), ("evaluate", State.WAITING)))
    tuning, after = run.jobs
    assert progress_line(tuning, share=False).endswith("3 min 33 s left in this step")
    quote = QUOTE.model_copy(update={"seconds": 60.0, "least_seconds": 50.0, "most_seconds": 120.0})
    jobs = [tuning, after.model_copy(update={"quote": quote})]
    assert run_left(run.model_copy(update={"jobs": jobs})) == "4–6 min left in all"
    assert run_left(run.model_copy(update={"jobs": [tuning, after.model_copy(update={"quote": None})]})) == ""


def test_roles_are_found_by_what_the_jobs_did(builder: StudioBuilder) -> None:
    made = distilled(builder, 0.9, 0.85)
    measured(builder, made)
    found = run_result(builder.studio.run("r-mails"), builder.studio.artifacts())
    assert found.model and found.model.id == made["quantize"].id
    assert found.teacher and found.teacher.model == made["finetune"].id
    assert found.best and found.best.model == made["quantize"].id
    assert found.package and not found.missing and found.quality == "accuracy"


def test_run_that_broke_off_says_what_is_missing(show: Show, builder: StudioBuilder) -> None:
    error = {"code": "core.memory_out", "args": {}}
    builder.run("mails", ("dataset", State.SUCCEEDED), ("finetune", State.FAILED), error=error)
    at = show("result", run="r-mails")
    said = words(at)
    assert "Fine-tune failed" in said and "The process ran out of memory." in said
    assert "No model was made." in said and "No package to download." in said
    assert at.button(key="result_retry").label == "Retry"


@pytest.mark.parametrize(("page", "asked"), [("result", "run"), ("run", "id")])
def test_findings_of_all_jobs_are_listed(show: Show, builder: StudioBuilder, page: str, asked: str) -> None:
    """Of a job in the middle, too, whose card is closed."""
    distilled(builder, 0.9, 0.95)
    found = {"code": "good.cut_off", "args": {"value": "40%", "limit": "10%", "setting": "max_cut_off"}}
    quantized = builder.studio.job("r-mails-quantize").result
    for stage in ("teacher", "quantize"):
        result = quantized | {"findings": [found]}
        builder.store.update_job(f"r-mails-{stage}", state=State.FINDINGS, result=result)
    at = show(page, **{asked: "r-mails"})
    said = [each.value for each in at.warning if "40% of the answers are cut off" in each.value]
    assert {each.split(":")[0] for each in said} >= {f"**{stage_label(stage)}**" for stage in ("teacher", "quantize")}


def test_finding_that_the_package_passes_on_stands_once_in_the_language_of_the_page(
    show: Show, builder: StudioBuilder
) -> None:
    measured(builder, distilled(builder, 0.9, 0.95))
    found = {"code": "good.agreement", "args": {"value": "25.0%", "limit": "50.0%", "setting": "min_agreement"}}
    passed_on = {"code": "package.findings", "args": {"name": "small-int4", "findings": [found]}}
    for stage, finding in (("quantize", found), ("package", passed_on)):
        result = builder.studio.job(f"r-mails-{stage}").result | {"findings": [finding]}
        builder.store.update_job(f"r-mails-{stage}", state=State.FINDINGS, result=result)
    (said,) = [each.value for each in show("result", "es", run="r-mails").warning if "25,0" in each.value]
    assert "responde a menudo de otra forma" in said and "La calidad de arriba se mide" in said


def test_hardly_trained_stands_as_a_warning_on_the_result(show: Show, builder: StudioBuilder) -> None:
    distilled(builder, 0.9, 0.95)
    hint = {"code": "curve.hardly_trained", "args": {"steps": 2, "rows": 15}, "blocking": False}
    builder.store.update_job(
        "r-mails-finetune", result=builder.studio.job("r-mails-finetune").result | {"hints": [hint]}
    )
    for page, asked in (("result", "run"), ("run", "id")):
        said = [each.value.replace("\\", "") for each in show(page, **{asked: "r-mails"}).warning]
        assert any("Hardly trained: 2 updates on 15 rows." in each for each in said), page


def test_unknown_run_has_a_way_back(show: Show) -> None:
    at = show("result", run="nowhere")
    assert "nowhere" in at.error[0].value
    assert "All jobs" in [element.proto.label for element in at.main.get("page_link")]


def test_report_is_whole_and_names_machine_data_and_license(show: Show, builder: StudioBuilder) -> None:
    made = distilled(builder, 0.9, 0.85)
    measured(builder, made)
    run = builder.studio.run("r-mails")
    show("result", run="r-mails")  # words need a session
    text = html(result_report(run, run_result(run, builder.studio.artifacts())))
    for part in (
        "SLMOps Studio",
        "mails",
        "CC-BY-4.0",
        "Apache-2.0",
        "50.0 MB",
        "500.0 MB",
        "CPU core",
        "r-mails",
    ):
        assert part in text, part
    assert "<script" not in text and "src=" not in text


def test_price_of_the_teacher_is_what_was_paid(builder: StudioBuilder) -> None:
    distilled(builder, 0.9, 0.85)
    assert teacher_price(builder.studio.run("r-mails")) is None
    builder.store.update_job("r-mails-teacher", result={"metrics": {"asked": 200.0, "spent_usd": 0.5}})
    assert teacher_price(builder.studio.run("r-mails")) == 2.5


def test_data_that_is_not_ready_is_repaired_and_trained_in_one_click(
    show: Show, builder: StudioBuilder, tmp_path: Path
) -> None:
    builder.model("small")
    file = tmp_path / "mails.csv"
    file.write_text("message,topic\n" + "\n".join(f"message {n},{'ab'[n % 2]}" for n in range(60)), "utf-8")
    rows = {"train": 48, "validation": 6, "test": 6}
    wanted = Wish(GOALS["sort"], PRESETS["quick"], {"source": str(file)}, "model-small", 30, Material(rows, "label", 2))
    run = builder.studio.start(plan_guided(builder.studio, wanted))
    jobs = {job.stage_id: job.id for job in run.jobs}
    data = builder.dataset("mails")
    builder.store.update_job(jobs["data"], state=State.SUCCEEDED, result={"artifact": data.id})
    problem = Problem(code="gates.duplicates", args={"count": 30, "rows": 40}, blocking=False)
    finding = Finding(gate="duplicates", severity="error", problem=problem, count=30, rows=["3"], fix="drop_duplicates")
    folder = tmp_path / "report"
    folder.mkdir()
    write_report(folder, ScoreCard(verdict="not_ready", findings=[finding], rows=40), [Found(finding, [])])
    builder.keep(Kind.REPORT, "checks", folder, {"report": REPORT, "data": data.id}, [data.id], job=jobs["check"])
    builder.store.update_job(jobs["check"], state=State.FAILED, error={"code": "gates.stopped", "args": {}})
    for id_ in set(jobs) - {"data", "check"}:
        builder.store.update_job(jobs[id_], state=State.BLOCKED)
    at = show("result", run=run.id)
    assert "nothing was trained" in words(at)
    at.button(key="result_repair").click().run()
    newest = builder.studio.runs()[0]
    assert newest.id != run.id and newest.id in at.query_params["run"]
    clean = next(job for job in newest.jobs if job.stage == "clean_data")
    assert clean.params["fixes"] == ["drop_duplicates"]
