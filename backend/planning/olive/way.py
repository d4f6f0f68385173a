"""A way to have Olive do what a job of the studio did. Flags, passes and fields are those of Olive 0.13."""

from __future__ import annotations

import json
import shlex
from typing import Any, NamedTuple

from backend.core.errors import Problem

RUN = "olive run --config olive.json"


class OliveWay(NamedTuple):
    """`text`: lines for a shell; `differs`: what they do otherwise than the job; `workflow`: what they read as olive.json, {}
    for a command that reads none."""

    text: str
    differs: list[Problem]
    workflow: dict[str, Any]

    @property
    def json(self) -> str:
        return json.dumps(self.workflow, indent=2, ensure_ascii=False)


def differs(name: str, value: Any) -> Problem:
    """Olive has nothing for the field `name`."""
    return Problem(code="olive.differs", args={"name": name, "value": str(value)})


def line(*argv: Any) -> str:
    return shlex.join(map(str, argv))


def workflow(model: dict[str, Any], accelerator: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """What Olive reads: the model, the machine and `parts`; the result lies in `out`."""
    return {
        "input_model": {"type": "HfModel", **model},
        "systems": {"here": {"type": "LocalSystem", "accelerators": [accelerator]}},
        **parts,
        "host": "here",
        "target": "here",
        "output_dir": "out",
        "no_artifacts": True,
    }
