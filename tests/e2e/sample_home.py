"""A home with everything in it: runs in every state, models of every kind, measurements. What people would have written is
in Spanish, so that an English sentence on a Spanish page is the studio's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core.schemas import ArtifactView, Kind, State
from backend.data.dataset import Row
from backend.files.uploads import receive_upload
from studio.nav import NAV
from tests.studio.builder import LABELS, StudioBuilder

COMMANDS = ["enciende la luz del salón", "cierra el garaje", "qué hora tengo", "sube la persiana"]
CHAIN = ("dataset", "teacher", "distill", "finetune", "quantize", "evaluate", "package")
RUNS = {"running": "r-ajuste", "failed": "r-rota", "done": "r-cadena", "waiting": "r-espera", "stopped": "r-parada"}
PAGES = ["/" if row.default else f"/{row.path.stem}" for row in NAV if not row.hidden]
PLACES = [
    *PAGES,
    *(f"/run?id={RUNS[state]}" for state in ("running", "failed", "done")),
    *(f"/result?run={RUNS[state]}" for state in ("running", "done")),
    "/data?data=dataset-ordenes",
    "/compare?view=confusion",
    "/quantize?step=checklist",
    *(f"/settings?section={section}" for section in ("notifications", "storage", "diagnostics")),
    "/models?model=onnx-alumno-int4",
    f"/jobs?job={RUNS['failed']}-finetune",
]
"""Every page, and those that open something."""


def fill(home: Path) -> None:
    builder = StudioBuilder(home)
    builder.worker()
    made = _models(builder)
    _runs(builder, made)
    with receive_upload(builder.studio.settings, "correos.csv") as incoming:
        incoming.write(b"mensaje,tema\n" + b"".join(f"factura {n},pago\n".encode() for n in range(30)))
        incoming.finish()
    builder.studio.create_project("Correos de soporte")


def _models(builder: StudioBuilder) -> dict[str, ArtifactView]:
    """The newest artifact of each stage."""
    data = builder.dataset("ordenes", inputs=COMMANDS)
    answers = [Row(id=f"p{n}", input=COMMANDS[n % 4], output=LABELS[n % 3], confidence=0.5) for n in range(8)]
    answers += [Row(id="larga", input="مرحبا " * 400, output=LABELS[0], gold=LABELS[1], rationale="Primero el verbo.")]
    builder.answers("respuestas", answers, teacher="maestro")
    base = builder.model("base")
    adapter = builder.model("maestro", Kind.ADAPTER, parents=[base.id, data.id])
    student = builder.model("alumno", parents=[base.id, data.id])
    onnx = builder.model("alumno-int4", Kind.ONNX, parents=[student.id])
    scores = (base, 0.2), (adapter, 0.9), (student, 0.8), (onnx, 0.75)
    measured = [builder.evaluation(model, data, accuracy, COMMANDS, plain=0.78) for model, accuracy in scores]
    package = builder.artifact(
        Kind.PACKAGE, "para-llevar", {"zip": "z.zip", "zip_bytes": 9}, {"z.zip": "x"}, parents=[onnx.id]
    )
    found = (data, data, student, adapter, onnx, measured[-1], package)
    return dict(zip(CHAIN, found, strict=True))


def _runs(builder: StudioBuilder, made: dict[str, ArtifactView]) -> None:
    metrics: dict[str, dict[str, float]] = {
        "dataset": {"rows_train": 20, "rows_validation": 10, "rows_test": 10},
        "teacher": {"answered": 12, "asked": 12},
        "finetune": {"trained_parameters": 1_200_000, "eval_loss": 0.31},
        "evaluate": {"accuracy": 0.75, "macro_f1": 0.73},
        "quantize": {"size_bytes": 92_400_000},
    }
    run = builder.run("cadena", *((stage, State.SUCCEEDED) for stage in CHAIN), minutes_ago=90, id=RUNS["done"])
    for stage in CHAIN:
        result: dict[str, Any] = {"artifact": made[stage].id, "metrics": metrics.get(stage, {})}
        builder.store.update_job(f"{run}-{stage}", result=result)
    builder.run("parada", ("dataset", State.CANCELLED), ("finetune", State.BLOCKED), id=RUNS["stopped"])
    error = {"code": "core.memory_out", "args": {}}
    run = builder.run("rota", ("finetune", State.FAILED), minutes_ago=60, id=RUNS["failed"], error=error)
    builder.log(f"{run}-finetune", "empieza", "se acaba la memoria")
    run = builder.run("ajuste", ("finetune", State.RUNNING), ("evaluate", State.WAITING), id=RUNS["running"])
    builder.points(f"{run}-finetune")
    builder.run("espera", ("quantize", State.WAITING), id=RUNS["waiting"])
