"""What a search tried and found, as its report keeps it; reports of the two searches of before are read the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import Problem
from backend.core.schemas import View
from backend.results.evaluations import pareto_indices

REPORT = "search"
REPORTS = (REPORT, "hyperparameters")
"""The words for it in the facts of reports: that of now, and one of before."""
_FILE = "report.json"
SCHEME = "scheme"
"""The name among the values of a trial that stands for a row of `backend.models.quantization.SCHEMES`."""


class Trial(View):
    """`values`: of what is searched; `params`: what the stage was given for them; `state`: complete, pruned or fail; `value`:
    what is to be small (loss or bytes); `violation`: what it lacks of the quality to be kept; `curve`: percent done, loss."""

    number: int
    values: dict[str, Any]
    params: dict[str, Any] = {}
    state: str
    value: float | None
    violation: float = 0.0
    seconds: float = 0.0
    curve: list[tuple[float, float]] = []
    metrics: dict[str, float] = {}
    failure: Problem | None = None


class SearchReport(View):
    """`settings`: what all trials had; `logs`: fields that were searched by their logarithm; `metric`: the measure of quality;
    `original`: what was measured of the original where size counts, its quality `keep` being the share to be kept; `test`: the
    same of both on test rows."""

    stage: str
    settings: dict[str, Any]
    fields: list[str]
    logs: list[str] = []
    trials: list[Trial]
    untried: list[dict[str, Any]] = []
    best: int
    importances: dict[str, float] = {}
    metric: str
    original: dict[str, float] = {}
    keep: float = 0.0
    test: dict[str, dict[str, float]] = {}

    @property
    def complete(self) -> list[Trial]:
        """The trials that came to an end, in their order."""
        return [trial for trial in self.trials if trial.state == "complete"]

    @property
    def chosen(self) -> Trial:
        return self.trial(self.best)

    def trial(self, number: int) -> Trial:
        return next(trial for trial in self.trials if trial.number == number)

    @property
    def passed(self) -> bool:
        """Whether the best trial keeps the quality that was asked for. Of an original without any, nothing can be kept."""
        return self.chosen.violation <= 0 and not self.without_quality

    @property
    def without_quality(self) -> bool:
        """Whether size decides and the original answers nothing rightly, so that no trial could be compared with it."""
        return bool(self.original) and not self.original[self.metric] > 0

    @property
    def kept(self) -> float:
        """The share of the original's quality that the best trial keeps."""
        whole = self.original.get(self.metric, 0.0)
        return self.chosen.metrics[self.metric] / whole if whole else 0.0

    @property
    def front(self) -> set[int]:
        """The numbers of the trials that no other beats in size and quality."""
        done = [trial for trial in self.complete if self.original]
        points = [(trial.metrics["size_bytes"], trial.metrics[self.metric]) for trial in done]
        return {done[at].number for at in pareto_indices(points, "size_bytes", self.metric)}

    def write(self, folder: Path) -> None:
        write_json(folder / _FILE, self.model_dump(mode="json"))


def read_report(folder: Path) -> SearchReport:
    """The report of a search in its artifact's folder."""
    found: dict[str, Any] = json.loads((folder / _FILE).read_text("utf-8"))
    if "training" in found:
        found = _of_hyperparameters(found)
    elif "points" in found:
        found = _of_schemes(found)
    return SearchReport.model_validate(found)


def _of_hyperparameters(found: dict[str, Any]) -> dict[str, Any]:
    trials = [
        {**trial, "value": trial["loss"], "params": trial["values"], "failure": None} for trial in found["trials"]
    ]
    return {**found, "stage": found["training"], "trials": trials, "metric": "eval_loss"}


def _of_schemes(found: dict[str, Any]) -> dict[str, Any]:
    whole, names = found["original"][found["metric"]], [point["name"] for point in found["points"]]
    trials = []
    for number, point in enumerate(found["points"]):
        metrics = point.get("metrics", {})
        told = {key: point[key] for key in ("params", "seconds", "failure") if key in point}
        state = {"state": "complete" if metrics else "fail", "value": metrics.get("size_bytes"), "metrics": metrics}
        lacks = max(0.0, found["keep"] * whole - metrics[found["metric"]]) if metrics else 0.0
        trials.append({"number": number, "values": {SCHEME: point["name"]}, "violation": lacks, **state, **told})
    about = {key: found[key] for key in ("metric", "original", "keep", "test")}
    settings = {"model": found["model"], "data": found["data"]}
    untried = [{SCHEME: name} for name in found["untried"]]
    about |= {"stage": "quantize", "settings": settings, "fields": [SCHEME], "untried": untried}
    return {**about, "trials": trials, "best": names.index(found["choice"])}
