"""A run that stopped at the check of its data, once more with repairs: the same recipe with a entry that cleans the rows."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from backend.core.refs import replace_refs

_CLEAN = "clean"


def repairable(content: dict[str, Any]) -> bool:
    """Whether a recipe is one that `repaired` understands: one dataset, one check."""
    stages = [entry["stage"] for entry in content["stages"]]
    return stages.count("dataset") == 1 and stages.count("check_data") == 1


def repaired(
    content: dict[str, Any], fixes: Sequence[str] = (), accepted: Sequence[dict[str, str]] = ()
) -> dict[str, Any]:
    """`fixes` go into the entry that cleans the rows, which is added where there is none; `accepted` findings into the check.
    What was chosen in an earlier round stays."""
    found = deepcopy(content)
    steps: list[dict[str, Any]] = found["stages"]
    check = next(entry for entry in steps if entry["stage"] == "check_data")
    if accepted:
        check["params"]["accepted"] = [*check["params"].get("accepted", []), *accepted]
    clean = next((entry for entry in steps if entry["stage"] == "clean_data"), None)
    if clean:
        clean["params"]["fixes"] = list(dict.fromkeys([*clean["params"]["fixes"], *fixes]))
    elif fixes:
        at = next(at for at, entry in enumerate(steps) if entry["stage"] == "dataset")
        source = steps[at]["id"]
        for entry in steps[at + 1 :]:
            entry["params"] = replace_refs(entry["params"], {source: f"${{{_CLEAN}}}"} | _kept(steps, source))
        params = {"data": f"${{{source}}}", "fixes": list(fixes)}
        steps.insert(at + 1, {"id": _CLEAN, "stage": "clean_data", "params": params})
    return found


def _kept(steps: list[dict[str, Any]], source: str) -> dict[str, str]:
    """All other references stay as they are."""
    return {entry["id"]: f"${{{entry['id']}}}" for entry in steps if entry["id"] != source}
