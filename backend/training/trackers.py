"""Where the curves of a training go beside the studio's own: TensorBoard files always, and the trackers that SLMOPS_TRACKERS
names. All stay on this machine, unless the trackers' own variables say otherwise. No torch.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from backend.core.errors import Problem
from backend.core.settings import Settings

TRACKERS = {"mlflow": "mlflow", "trackio": "trackio", "wandb": "wandb"}
"""What transformers' Trainer reports to -> the package that it needs."""
PROJECT = "slmops"


def asked_trackers() -> list[str]:
    """Those of the setting, in its order."""
    return [name.strip().lower() for name in Settings().trackers.split(",") if name.strip()]


def check_trackers() -> list[Problem]:
    """A problem for each tracker that is not known or whose package is not installed."""
    problems = []
    for name in asked_trackers():
        if name not in TRACKERS:
            problems.append(Problem(code="train.tracker_unknown", args={"name": name, "known": ", ".join(TRACKERS)}))
        elif find_spec(TRACKERS[name]) is None:
            problems.append(Problem(code="train.tracker_missing", args={"name": name, "package": TRACKERS[name]}))
    return problems


def report_to(settings: Settings, job_id: str, folder: Path) -> list[str]:
    """What the trainer of this process is told; afterwards the environment says where each tracker writes: below the home, and
    not to a server. `folder`: where the job works; a trial of a search, which has one of its own, is a run of its own."""
    trial = [] if folder.name == job_id else [folder.name]
    os.environ["TENSORBOARD_LOGGING_DIR"] = str(settings.tensorboard.joinpath(job_id, *trial))
    local = settings.home / "trackers"
    database = Path(local, "mlflow.db")
    for name, value in {
        "MLFLOW_TRACKING_URI": f"sqlite:///{database}",
        "MLFLOW_EXPERIMENT_NAME": PROJECT,
        "MLFLOW_TAGS": f'{{"job": "{job_id}"}}',
        "WANDB_MODE": "offline",
        "WANDB_DIR": str(local),
        "WANDB_PROJECT": PROJECT,
        "TRACKIO_DIR": str(local / "trackio"),
        "TRACKIO_PROJECT": PROJECT,
    }.items():
        os.environ.setdefault(name, value)
    asked = asked_trackers()
    if asked:
        local.mkdir(parents=True, exist_ok=True)
    return ["tensorboard", *asked]
