"""Words of stages and parameters that recipes and homes of earlier versions use, and what they are called now.

Everything that names a stage or holds its parameters goes through here when it comes in: recipes, `--set`, drafts, old rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STAGES = {"cut": "prune", "hyperparameter_search": "search", "scheme_search": "search"}
"""Old name of a stage -> new."""
_IMPLIED = {
    "hyperparameter_search": {"stage": "finetune"},
    "scheme_search": {"stage": "quantize"},
    "search": {"stage": "quantize"},
}
"""Name of a stage -> what it did not have to say; `search` without it is that of version 0.1."""
_METHODS = {"logit": "offline_logit", "live": "online_logit", "hidden": "hidden_states"}
_RATIONALE = {"beside": "multitask"}
FIELDS: dict[str, dict[str, tuple[str, dict[str, str]]]] = {
    "distill": {
        "route": ("method", _METHODS),
        "steps_weight": ("rationale_weight", {}),
        "rationale": ("rationale", _RATIONALE),
    },
    "finetune": {"steps_weight": ("rationale_weight", {}), "rationale": ("rationale", _RATIONALE)},
    "generate": {"method": ("method", {"examples": "self_instruct", "evolve": "evol_instruct"})},
    "quantize": {"method": ("tie_embeddings", {"tied": "always", "plain": "never"})},
    "search": {"recipes": ("schemes", {}), "training": ("stage", {})},
    "teacher": {"steps": ("rationale_request", {}), "combine": ("combine", {"best": "best_of_n"})},
}
"""Stage (by its new name) -> old field -> (new field, old value -> new value)."""
_LISTED = {"search": {"calibration_rows": "settings"}}
"""Stage (by its new name) -> old field -> the list in which it now is a line `field=value`."""


def stage_name(name: str) -> str:
    """What a stage is called now."""
    return STAGES.get(name, name)


def implied(stage: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage of this name means that its parameters don't say."""
    said = {new for field in params for new in _fields(stage, field)}
    return {field: value for field, value in _IMPLIED.get(stage, {}).items() if field not in said}


def renamed(stage: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters by the names and values of now, in their order. A field that is given by both its names stays twice, so that
    it is refused as unknown."""
    found: dict[str, Any] = implied(stage, params)
    for field, value in params.items():
        new, values = FIELDS.get(stage_name(stage), {}).get(field, (field, {}))
        if new != field and new in params:
            found[field] = value
        elif into := _LISTED.get(stage_name(stage), {}).get(field):
            found.setdefault(into, []).append(f"{field}={value}")
        else:
            found[new] = values.get(value, value) if isinstance(value, str) else value
    return found


def old_words(stage: str, params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(old, new) of everything that `renamed` would change, to be told to whoever wrote it."""
    told = []
    now = renamed(stage, params)
    for field, value in params.items():
        new = _fields(stage, field)[-1]
        if field not in now:
            told.append((field, new))
        if new in now and now[new] != value and isinstance(value, str):
            told.append((f"{field}: {value}", f"{new}: {now[new]}"))
    return told


def _fields(stage: str, field: str) -> tuple[str, str]:
    """A field as it is written and as it is called now."""
    now = stage_name(stage)
    return field, _LISTED.get(now, {}).get(field) or FIELDS.get(now, {}).get(field, (field, {}))[0]
