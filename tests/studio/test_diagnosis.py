"""The diagnosis on pages: the link beside a poor result, the form that starts it, its report."""

from __future__ import annotations

import json
from typing import Any

from backend.api.diagnosis import poor_model
from backend.checks.check import check_dicts, failed
from backend.checks.diagnosis import CapacityFigures, RateFigures, capacity_check, rate_check
from backend.core.artifacts import Manifest, seal
from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind, State
from tests.studio.builder import MODEL_FACTS, StudioBuilder
from tests.studio.conftest import Show, words

POOR = {"hints": [Problem(code="curve.flat", args={"rate": 1e-6}, blocking=False).model_dump(mode="json")]}


def trained(builder: StudioBuilder) -> ArtifactView:
    """An adapter as fine-tuning leaves it, and its job with a curve and a hint."""
    base, data = builder.model(), builder.dataset()
    run = builder.run("tuned", ("finetune", State.SUCCEEDED), id="r1")
    facts = {**MODEL_FACTS, "format": "adapter", "base": base.id, "data": data.id, "training": {"steps": 40}}
    params = {"model": base.id, "data": data.id, "learning_rate": 1e-6}
    about: dict[str, Any] = {"stage": "finetune", "params": params, "facts": facts, "parents": [base.id, data.id]}
    manifest = Manifest(id="adapter-tuned", kind=Kind.ADAPTER, name="tuned", **about)
    source = builder.studio.settings.jobs / "build-tuned"
    source.mkdir(parents=True)
    target = builder.studio.settings.artifacts / "adapter" / manifest.id
    job = f"{run}-finetune"
    view = builder.store.add_artifact(seal(source, target, manifest), target, builder.store.project("default"), job)
    builder.points(job)
    builder.store.update_job(job, result={"artifact": view.id, **POOR})
    return view


def test_a_poor_training_leads_to_a_diagnosis_that_starts(show: Show, builder: StudioBuilder) -> None:
    view = trained(builder)
    at = show("run", "es", id="r1")
    links = [link.proto for link in at.main.get("page_link") if link.proto.label == "Diagnosticar el entrenamiento"]
    assert len(links) == 1 and links[0].query_string.endswith(f"step=diagnose&model={view.id}")
    at = show("finetune", step="diagnose", model=view.id)
    assert not at.button(key="start_diagnose").disabled and "Loss curve" not in words(at)
    at.button(key="start_diagnose").click().run()
    job = builder.store.runs()[0].jobs[0]
    assert job.stage == "diagnose" and job.params["model"] == view.id
    assert len(job.params["curve"]) == 40 and job.params["curve"][0] == [0, 2.4]
    assert job.quote and job.quote.seconds > 10


def test_an_evaluation_that_loses_to_the_baseline_leads_there_too(builder: StudioBuilder) -> None:
    view, data = trained(builder), builder.store.artifact("commands")
    export = builder.model("tuned-int4", Kind.ONNX, parents=[view.id])
    for name, accuracy, expected in (("lost", 0.5, view), ("won", 0.9, None)):
        made = builder.evaluation(export, data, accuracy, plain=0.7).id
        builder.run(name, ("evaluate", State.SUCCEEDED), result={"artifact": made})
        jobs = builder.store.run(f"r-{name}").jobs
        assert poor_model(jobs, builder.studio.artifacts()) == expected
        builder.store.delete_artifact(made)
    other = builder.model("imported")
    job = builder.store.run("r1").jobs[0].model_copy(update={"result": {"artifact": other.id, **POOR}})
    assert poor_model([job], builder.studio.artifacts()) is None


def test_its_report_is_a_table_of_checks_and_of_figures(show: Show, builder: StudioBuilder) -> None:
    rate = rate_check(RateFigures(1e-6, 8, 3.0, (2.99, 2.98, 1.9)))
    checks = [rate, capacity_check(CapacityFigures(16, 60, 0.08, 25, 16, trained=120))]
    facts: dict[str, Any] = {"report": "diagnosis", "trained": "adapter-tuned", "model_name": "tuned"}
    facts |= {"data_name": "commands", "failed": failed(checks), "cause": "diagnosis_rate"}
    file = json.dumps({**facts, "checks": check_dicts(checks)})
    view = builder.artifact(Kind.REPORT, "diagnosis", facts, {"report.json": file})
    builder.run("why", ("diagnose", State.FINDINGS), result={"artifact": view.id})
    at = show("finetune", "es", step="diagnose")
    assert "No se han superado 1 de 2 comprobaciones." in words(at) and "Entrenado con commands." in words(at)
    assert {"report_html_report-diagnosis", "report_md_report-diagnosis"} <= {
        element.key for element in at.get("download_button")
    }
