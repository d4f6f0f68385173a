"""The programs of the studio that run as processes of their own. Whoever starts one takes its command line from here."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path

from backend.core.paths import ROOT


class Programs(StrEnum):
    """The module of each; it ends in a `__main__` guard."""

    WEB = "studio.webapp.launch"
    WORKER = "backend.jobs.worker"
    STAGE = "backend.jobs.child"
    READ_SOURCE = "backend.data.inspect_program"
    TETHER = "backend.process.parent_death"
    MODEL_HOST = "backend.serve.host"
    ENGINE = "backend.serve.engine_process"
    API_SERVER = "backend.serve.openai_api.server"
    ASKED_MODEL = "backend.ml.inference.model_process"
    GGUF = "backend.ml.inference.gguf"
    GGUF_HEAD = "backend.models.gguf_head"
    WEIGHTS = "backend.ml.inference.weight_check"
    MEASURE = "backend.ml.evaluation.measure_child"
    OLIVE = "backend.ml.compression.olive_cli"
    SMOKE_TEST = "backend.ml.compression.smoke_test"
    NOTIFY = "backend.notify.send_program"
    FOUNDRY = "backend.packaging.foundry_child"


def command(program: str, *arguments: object) -> list[str]:
    """The command line that runs it in this Python. `program`: one of the table (tests bring their own module)."""
    return [sys.executable, "-m", str(program), *map(str, arguments)]


def source_file(program: Programs) -> Path:
    """Where it lies, for a Python that has no studio."""
    return ROOT.joinpath(*program.split(".")).with_suffix(".py")
