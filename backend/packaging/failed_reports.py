"""What was found wrong with a model, whether or not somebody named it for the package."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from backend.core.artifacts import MANIFEST
from backend.core.errors import Problem
from backend.core.schemas import Kind

Facts = dict[str, Any]


def found_problems(
    artifacts: Path, models: Sequence[str], known: Collection[str], trashed: Collection[str]
) -> list[Problem]:
    """The findings of these models (ids: the one that is packed and what it was converted from), and of the newest report of
    each sort and the newest evaluation on each split about them. `artifacts`: the artifact store; `known`: reports that are
    looked at already; `trashed`: ids that don't count, nor do they hide an older report."""
    newest: dict[tuple[object, ...], tuple[str, str, Facts]] = {}
    for kind in (Kind.MODEL, Kind.ADAPTER, Kind.ONNX, Kind.REPORT, Kind.EVALUATION):
        files = (artifacts / kind).glob(f"*/{MANIFEST}")
        for file in sorted(files, key=lambda each: each.stat().st_mtime_ns):
            if file.parent.name in trashed:
                continue
            held = json.loads(file.read_text("utf-8"))
            facts = held.get("facts", {})
            if kind in (Kind.REPORT, Kind.EVALUATION):
                about = facts.get("model") or next((each for each in held.get("parents", []) if each in models), None)
                sort: tuple[object, ...] = (kind, about, facts.get("report"), facts.get("data"), facts.get("split"))
            else:
                about, sort = held["id"], (kind, held["id"])
            if about in models:
                newest[sort] = (held["id"], held["name"], facts)
    return [problem for id_, name, facts in newest.values() if id_ not in known for problem in problems_of(name, facts)]


def problems_of(name: str, facts: Facts) -> list[Problem]:
    """Why an artifact with these facts speaks against handing over what it is about."""
    if findings := facts.get("findings"):
        return [Problem(code="package.findings", args={"name": name, "findings": findings}, field="overrule")]
    if "report" in facts and facts.get("passed") is False:
        failed = ", ".join(map(str, facts.get("failed", []))) or "–"
        return [Problem(code="package.report_failed", args={"report": name, "failed": failed}, field="overrule")]
    return []


def converted_from(folder: Path) -> list[str]:
    """The ids of a model in its artifact folder and of what it was made from directly; nothing for another folder."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return []
    held = json.loads(manifest.read_text("utf-8"))
    return [held["id"], *(each for each in held.get("parents", []) if not each.startswith(f"{Kind.DATASET.value}-"))]
