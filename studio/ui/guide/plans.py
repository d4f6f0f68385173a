"""Plans of what was chosen on Home, kept until something changes that they rest on."""

from __future__ import annotations

import json
from collections.abc import Sequence

from backend.api.guide import (
    GOALS,
    PRESETS,
    Material,
    Plan,
    Student,
    Teacher,
    Wish,
    plan_guided,
    preferred_student,
    students,
)
from backend.core.errors import Problem, StudioError
from studio.ui.shared import api_cache
from studio.ui.shared.project import project


@api_cache.versioned("artifact", "artifact_parent", "endpoint", entries=16)
def _preferred_of(key: str, project_id: str) -> str:
    wish = _from_key(key)
    found = preferred_student(api_cache.studio(), wish, students(api_cache.artifacts(), project_id))
    return found.ref if found else ""


def preferred(wish: Wish, offered: Sequence[Student]) -> Student | None:
    """The best student that fits this machine."""
    try:
        ref = _preferred_of(key_of(wish), project().id)
    except StudioError:  # the plan below says why
        return offered[0]
    return next((one for one in offered if one.ref == ref), offered[0])


def planned(wish: Wish) -> Plan | list[Problem]:
    """The plan of a wish, or why there is none."""
    try:
        return _plan_of(key_of(wish))
    except StudioError as error:
        return error.problems


@api_cache.versioned("artifact", "artifact_parent", "endpoint", "job", entries=64, ttl="60s")
def _plan_of(key: str) -> Plan:
    return plan_guided(api_cache.studio(), _from_key(key))


def key_of(wish: Wish) -> str:
    """A wish as text: what a plan is kept by."""
    plain = {
        "goal": wish.goal.name,
        "preset": wish.preset.name,
        "source": wish.source,
        "student": [wish.student, wish.student_layers],
        "material": [
            dict(wish.material.rows),
            wish.material.answer,
            wish.material.labels,
            list(wish.material.examples),
        ],
        "teacher": [wish.teacher.kind, wish.teacher.ref, wish.teacher.layers] if wish.teacher else None,
        "fixes": list(wish.fixes),
        "personal": wish.personal,
    }
    return json.dumps(plain, sort_keys=True)


def _from_key(key: str) -> Wish:
    plain = json.loads(key)
    rows, answer, labels, examples = plain["material"]
    return Wish(
        goal=GOALS[plain["goal"]],
        preset=PRESETS[plain["preset"]],
        source=plain["source"],
        student=plain["student"][0],
        student_layers=plain["student"][1],
        material=Material(rows, answer, labels, examples),
        teacher=Teacher(*plain["teacher"]) if plain["teacher"] else None,
        fixes=plain["fixes"],
        personal=plain["personal"],
    )
