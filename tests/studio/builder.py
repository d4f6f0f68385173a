"""A real studio home for page tests: runs in every state, artifacts with real folders, evaluations with invented figures.

Pages see it through the real facade; nothing of the backend is replaced.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from backend.api import Studio
from backend.core.artifacts import Manifest, seal
from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind, Quote, State
from backend.data.baseline_scores import BaselineScores
from backend.data.dataset import Row, Template, write_split, write_template
from backend.data.facts import data_facts
from backend.data.gates.base import Found, FoundRow
from backend.data.gates.model import Finding, ScoreCard
from backend.data.gates.report import REPORT, write_report
from backend.db import tables as t
from backend.stages import stage

QUOTE = Quote(seconds=95, memory_bytes=1_600_000_000, disk_bytes=540_000_000)
MODEL_FACTS = {
    "format": "torch",
    "parameters": 134_515_008,
    "layers": 30,
    "hidden_size": 576,
    "vocabulary": 49_152,
    "context": 8_192,
    "heads": 9,
    "kv_heads": 3,
    "intermediate_size": 1_536,
    "tied": True,
    "checked": 1,
}
COMMANDS = ["turn on the kitchen light", "close the garage", "what time is it", "enciende la luz del salón"]
LABELS = ["HassTurnOn", "HassTurnOff", "HassGetTime"]


class StudioBuilder:
    """`House(home)` opens the store of a home and fills it by its methods."""

    def __init__(self, home: Path) -> None:
        self.studio = Studio.open(home=home)
        self.store = self.studio.store

    def run(
        self,
        name: str,
        *stages: tuple[str, State],
        project: str = "default",
        minutes_ago: float = 9,
        id: str | None = None,
        **last: Any,
    ) -> str:
        """A run of (stage name, state); `last` are columns of its last job. Job ids are `<run id>-<stage>`."""
        run_id = id or f"r-{name}"
        created = t.now() - timedelta(minutes=minutes_ago)
        rows = [self._job(run_id, name_, state, created) for name_, state in stages]
        self.store.add_run(name, self.store.project(project), {"name": name, "stages": []}, rows, run_id)
        if last:
            self.store.update_job(rows[-1].id, **last)
        return run_id

    def _job(self, run_id: str, name: str, state: State, created: Any) -> t.Job:
        ran = state in (State.RUNNING, State.SUCCEEDED, State.FAILED, State.CANCELLING)
        return t.Job(
            id=f"{run_id}-{name}",
            run_id=run_id,
            stage_id=name,
            stage=name,
            params=stage(name).example,
            needs=[],
            state=state,
            queue=stage(name).queue,
            quote=QUOTE.model_dump(),
            created=created,
            started=created + timedelta(seconds=5) if ran else None,
            ended=created + timedelta(seconds=123) if state.ended else None,
            seconds=118.0 if state in (State.SUCCEEDED, State.FAILED) else None,
            peak_memory_bytes=1_412_000_000 if state in (State.SUCCEEDED, State.FAILED) else None,
            **(
                {"done": 84.0, "total": 240.0, "note": "training", "eta_seconds": 213.0}
                if state is State.RUNNING
                else {}
            ),
        )

    def points(self, job_id: str, name: str = "loss", count: int = 40) -> None:
        with self.store.session() as session:
            session.add_all(
                t.MetricPoint(job_id=job_id, name=name, step=step, value=2.4 / (1 + step / 20)) for step in range(count)
            )

    def checkpoint(self, job_id: str, step: int, best: int, **scores: float) -> Path:
        """A checkpoint of a job at a step, whose evaluation gave `scores`; `best`: the step of the best until then."""
        folder = self.studio.settings.jobs / job_id / "checkpoints" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        log: list[dict[str, Any]] = [{"step": step - 1, "loss": 0.5}, {"step": step, "loss": 0.3}]
        log += [{"step": step, **scores}] if scores else []
        state = {"epoch": step / 10, "global_step": step, "best_global_step": best, "log_history": log}
        files = {"trainer_state.json": json.dumps(state), "adapter_model.safetensors": "weights"}
        files |= {"optimizer.pt": "moments", "complete.json": ""}
        sizes = {name: len(text) for name, text in files.items() if text}
        for name, text in (files | {"complete.json": json.dumps(sizes)}).items():
            (folder / name).write_text(text, "utf-8")
        return folder

    def log(self, job_id: str, *lines: str) -> None:
        with self.store.session() as session:
            session.add_all(t.LogLine(job_id=job_id, level="info", text=line) for line in lines)

    def worker(self) -> None:
        """A worker whose beat is fresh."""
        with self.store.session() as session:
            session.merge(t.Worker(id="w1", host="workbench", pid=1, queues=["light", "cpu"], beat=t.now()))

    def artifact(
        self,
        kind: Kind,
        name: str,
        facts: dict[str, Any] | None = None,
        files: dict[str, str] | None = None,
        parents: list[str] | None = None,
        project: str = "default",
        job: str | None = None,
    ) -> ArtifactView:
        """A sealed folder with `files` (name -> text) and its row; its id is `<kind>-<name>`."""
        source = self.studio.settings.jobs / f"build-{kind.value}-{name}"
        source.mkdir(parents=True)
        for file, text in (files or {"payload.txt": name}).items():
            (source / file).write_text(text, "utf-8")
        return self.keep(kind, name, source, facts, parents, project, job)

    def keep(
        self,
        kind: Kind,
        name: str,
        source: Path,
        facts: dict[str, Any] | None = None,
        parents: list[str] | None = None,
        project: str = "default",
        job: str | None = None,
        license: str = "Apache-2.0",
    ) -> ArtifactView:
        """The folder `source` as an artifact; it moves into the home."""
        manifest = Manifest(
            id=f"{kind.value}-{name}", kind=kind, name=name, facts=facts or {}, parents=parents or [], license=license
        )
        target = self.studio.settings.artifacts / kind.value / manifest.id
        return self.store.add_artifact(seal(source, target, manifest), target, self.store.project(project), job)

    def dataset(
        self, name: str = "commands", rows: int = 40, pool: int = 12, inputs: list[str] = COMMANDS, **about: Any
    ) -> ArtifactView:
        """Rows of voice commands with labels in train, validation and test, and a pool."""
        source = self.studio.settings.jobs / f"build-data-{name}"
        source.mkdir(parents=True)
        made = [
            Row(id=f"{n}", input=f"{inputs[n % len(inputs)]} {n}", output=LABELS[n % len(LABELS)]) for n in range(rows)
        ]
        write_template(source, Template(system="Answer with the intent.", answer="label", labels=LABELS))
        write_split(source, "train", made[: rows // 2])
        write_split(source, "validation", made[rows // 2 : rows * 3 // 4])
        write_split(source, "test", made[rows * 3 // 4 :])
        write_split(source, "pool", [Row(id=f"p{n}", input=f"{inputs[n % len(inputs)]} p{n}") for n in range(pool)])
        return self.keep(
            Kind.DATASET,
            name,
            source,
            data_facts(source) | about.get("facts", {}),
            project=about.get("project", "default"),
            license="CC-BY-4.0",
        )

    def answers(
        self, name: str = "answers", rows: list[Row] | None = None, labels: list[str] = LABELS, **about: Any
    ) -> ArtifactView:
        """A dataset whose training rows a teacher answered; without `rows` 30 commands, each with a confidence. No `labels`:
        free text."""
        source = self.studio.settings.jobs / f"build-answers-{name}"
        source.mkdir(parents=True)
        made = [
            Row(id=f"p{n}", input=f"{COMMANDS[n % 4]} {n}", output=LABELS[n % 3], confidence=round(0.4 + n / 60, 3))
            for n in range(30)
        ]
        write_template(source, Template(answer="label" if labels else "text", labels=labels))
        write_split(source, "train", made if rows is None else rows)
        write_split(source, "validation", [Row(id="v1", input=COMMANDS[0], output=(labels or COMMANDS)[0])])
        facts = {**data_facts(source), "teacher": about.pop("teacher", "big-teacher")}
        return self.keep(Kind.DATASET, name, source, facts, **about)

    def model(self, name: str = "smollm2-135m-instruct", kind: Kind = Kind.MODEL, **about: Any) -> ArtifactView:
        """A model, adapter or ONNX model by its facts alone: it can be chosen and quoted, not loaded."""
        extra = {Kind.ADAPTER: {"format": "adapter"}, Kind.ONNX: {"format": "onnx", "precision": "int4"}}.get(kind, {})
        return self.artifact(kind, name, {**MODEL_FACTS, **extra, **about.pop("facts", {})}, **about)

    def evaluation(
        self,
        model: ArtifactView,
        data: ArtifactView,
        accuracy: float,
        inputs: list[str] = COMMANDS,
        plain: float | None = None,
        **metrics: float | str,
    ) -> ArtifactView:
        """An evaluation of 20 rows whose first `accuracy` share is right, with answers.jsonl and confusion.json; `plain`: the
        accuracy of the quick baseline."""
        count = 20
        lines = []
        for n in range(count):
            right, wrong = LABELS[n % 3], LABELS[(n + 1) % 3]
            answer = right if n < round(accuracy * count) else wrong
            row = {"id": str(n), "input": inputs[n % len(inputs)], "expected": right, "answer": answer}
            lines.append(json.dumps({**row, "correct": answer == right}, ensure_ascii=False))
        figures = {
            "accuracy": accuracy,
            "accuracy_low": max(0.0, accuracy - 0.1),
            "accuracy_high": min(1.0, accuracy + 0.08),
            "macro_f1": accuracy - 0.02,
            "invalid_rate": 0.01,
            "n": float(count),
            "ttft_ms": 41.2,
            "decode_tokens_per_s": 96.4,
            "latency_ms_p50": 61.0,
            "latency_ms_p95": 88.0,
            "peak_memory_bytes": 310_000_000.0,
            "size_bytes": 92_400_000.0,
            "weights_bytes": 90_000_000.0,
            "parameters": 134_515_008.0,
            "load_seconds": 0.6,
            **metrics,
        }
        facts: dict[str, Any] = {
            "model_name": model.name,
            "model": model.id,
            "data": data.id,
            "split": "test",
            **figures,
        }
        facts |= {"baseline": baseline_of(accuracy, plain)} if plain is not None else {}
        files = {"metrics.json": json.dumps(figures), "answers.jsonl": "\n".join(lines) + "\n"}
        asked = [json.loads(line) for line in lines]
        counts = [
            [sum(row["expected"] == right and row["answer"] == given for row in asked) for given in LABELS]
            for right in LABELS
        ]
        files["confusion.json"] = json.dumps({"labels": LABELS, "counts": counts})
        return self.artifact(Kind.EVALUATION, f"{model.name} on {data.name}", facts, files, parents=[data.id, model.id])


def baseline_of(model: float, share: float) -> dict[str, Any]:
    """What an evaluation keeps of the quick baseline with this accuracy."""
    args = {"measure": "Accuracy", "model": 100 * model, "baseline": 100 * share, "method": "TF-IDF classifier"}
    code = "baseline.beaten" if model > share else "baseline.not_beaten"
    figures = {"accuracy": share, "accuracy_low": share - 0.1, "accuracy_high": share + 0.1, "macro_f1": share - 0.02}
    comparison = Problem(code=code, args=args, blocking=False)
    return BaselineScores(
        method="classifier",
        scores={"classifier": figures},
        train=40,
        known=40,
        beaten=model > share,
        comparison=comparison,
    ).model_dump(mode="json")


def doubted(
    builder: StudioBuilder, data: ArtifactView, rows: tuple[tuple[str, str], ...] = (("3", "train"), ("1", "train"))
) -> ArtifactView:
    """A check of a dataset that doubts these rows (id, split), in this order."""
    found = [FoundRow(split, row, "HassTurnOn → HassTurnOff (93%)") for row, split in rows]
    problem = Problem(code="gates.wrong_labels", args={"count": len(rows), "rows": 40}, blocking=False)
    finding = Finding(gate="wrong_labels", severity="warning", problem=problem, count=len(rows), rows=["3"])
    card = ScoreCard(verdict="warnings", findings=[finding], rows=40)
    folder = builder.studio.settings.jobs / f"build-checks-{data.id}"
    folder.mkdir(parents=True)
    write_report(folder, card, [Found(finding, found)])
    facts = {"report": REPORT, "data": data.id, "verdict": card.verdict}
    return builder.keep(Kind.REPORT, f"checks-{data.name}", folder, facts, [data.id])
