"""A home with a teacher, its answers and a student, and an ablation whose evaluations hold invented answers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from backend.core.artifacts import Manifest, seal
from backend.core.schemas import ArtifactView, Kind, RunView, State
from backend.data.facts import data_facts
from backend.db import tables as t
from backend.planning.ablation.recipe import AblationParams
from tests.studio.builder import StudioBuilder

ROWS = 40


def tokenizer(tokens: list[str], template: str = "chat") -> dict[str, str]:
    """The files of a model folder that say how it splits text."""
    content = {"model": {"vocab": {token: at for at, token in enumerate(tokens)}}, "added_tokens": []}
    return {"tokenizer.json": json.dumps(content), "chat_template.jinja": template}


class AblationBuilder:
    """`gold`, `teacher` (an adapter), `answers` and `student` are there; `start` enqueues an ablation of them."""

    def __init__(self, builder: StudioBuilder, **teacher: Any) -> None:
        self.builder = builder
        files = tokenizer(["a", "b", "c"])
        self.gold = builder.dataset("commands", pool=12)
        base = builder.model("base", files=files)
        self.teacher = builder.model(
            "teacher",
            teacher.get("kind", Kind.ADAPTER),
            facts={"base": base.id},
            files=teacher.get("files", files),
            parents=[base.id],
        )
        self.student = builder.model(
            "small", files=tokenizer(["b", "a"]), facts={"layers": 6, "parameters": 49_000_000}
        )
        self.answers = self._answers(self.gold, "answers", [self.gold.id, self.teacher.id])

    def _answers(self, source: ArtifactView, name: str, parents: list[str]) -> ArtifactView:
        """What the teacher left: a copy of the dataset, made by a job of 60 s."""
        run = self.builder.run(name, ("teacher", State.SUCCEEDED), seconds=60.0, result={"artifact": f"dataset-{name}"})
        folder = self.builder.studio.settings.jobs / f"build-{name}"
        folder.mkdir(parents=True)
        for file in source.path.glob("*.json*"):
            if file.name != "manifest.json":
                (folder / file.name).write_bytes(file.read_bytes())
        facts = {**data_facts(folder), "teacher": "teacher", "teachers": [self.teacher.id]}
        return self.builder.keep(Kind.DATASET, name, folder, facts, parents, job=f"{run}-teacher")

    def params(self, **more: Any) -> AblationParams:
        chosen = {
            "student": self.student.id,
            "data": self.answers.id,
            "gold": self.gold.id,
            "seeds": 2,
            "max_steps": 20,
        }
        return AblationParams.model_validate({**chosen, **more})

    def start(self, **more: Any) -> RunView:
        studio = self.builder.studio
        plan = studio.plan(studio.ablation_recipe(self.params(**more)))
        return studio.start(plan)

    def finish(self, run: RunView, stage_id: str, **more: Any) -> None:
        """The job of that id has succeeded; an evaluation gets its answers from `right`: as many rows are right, from row
        `start` on."""
        job = next(job for job in run.jobs if job.stage_id == stage_id)
        result: dict[str, Any] = {"metrics": {}}
        if job.stage == "evaluate":
            result["artifact"] = self._evaluation(f"{run.id}-{stage_id}", more.pop("right"), more.pop("start", 0))
        elif job.stage == "distill":
            result["metrics"] = {"steps": 20.0, "trained_tokens": 4000.0}
        now = t.now()
        values = {"result": result, "started": now - timedelta(seconds=30), "ended": now, "seconds": 30.0, **more}
        self.builder.store.update_job(job.id, state=State.SUCCEEDED, **values)

    def finish_all(self, run: RunView, right: dict[str, int]) -> None:
        """Every job; `right`: step id of an evaluation without `-eval` -> right rows."""
        for job in run.jobs:
            about = {"right": right[job.stage_id.removesuffix("-eval")]} if job.stage == "evaluate" else {}
            self.finish(run, job.stage_id, **about)

    def _evaluation(self, name: str, right: int, start: int) -> str:
        folder = self.builder.studio.settings.jobs / f"build-{name}"
        folder.mkdir(parents=True)
        lines = []
        for row in range(ROWS):
            correct = (row - start) % ROWS < right
            answer = "yes" if correct else "no"
            lines.append({"id": str(row), "input": "x", "expected": "yes", "answer": answer, "correct": correct})
        (folder / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        facts = {"model_name": name, "data": self.gold.id, "split": "validation", "n": ROWS, "accuracy": right / ROWS}
        manifest = Manifest(id=f"evaluation-{name}", kind=Kind.EVALUATION, name=name, facts=facts)
        target = self.builder.studio.settings.artifacts / "evaluation" / manifest.id
        store = self.builder.store
        return store.add_artifact(seal(folder, target, manifest), target, store.project()).id
