"""The part of the facade that is about the guided way: who can learn and teach, the plan of a whole chain, its repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.api.projects import LEFT_OUT, belongs_to
from backend.core.endpoints import EndpointView
from backend.core.errors import Problem
from backend.core.messages.words import LANGUAGE_NAMES
from backend.core.schemas import ArtifactView, Kind, RunView, View
from backend.data.demo import SOURCE as DEMO
from backend.generation.privacy import elsewhere
from backend.models import catalogue
from backend.models.builtin import BUILTIN
from backend.planning import recipes
from backend.planning.guide.chain import TUNED_TEACHER, Teacher, Wish, recipe_of
from backend.planning.guide.goals import GOALS, Fit, Goal, GoalName, Material, fit
from backend.planning.guide.presets import DEFAULT, PRESETS, Figure, Preset, figures
from backend.planning.guide.repair import repairable, repaired
from backend.planning.planner import Plan

if TYPE_CHECKING:
    from backend.api.studio import Studio

__all__ = [
    "DEFAULT",
    "DEMO",
    "GOALS",
    "PRESETS",
    "TUNED_TEACHER",
    "Figure",
    "Fit",
    "Goal",
    "GoalName",
    "Material",
    "Plan",
    "Preset",
    "Student",
    "Teacher",
    "Wish",
    "again_with",
    "can_repair",
    "figures",
    "fit",
    "other_language",
    "plan_guided",
    "preferred_student",
    "sends_away",
    "students",
    "teachers",
]
_BUILTIN_LAYERS = 30
_BUILTIN_LANGUAGES = {catalogue.builtin_id(name): list(row.languages) for name, row in BUILTIN.items()}
_LONGEST_SECONDS = 4 * 3600.0
"""A model that would need longer is not proposed where a smaller one is there."""
_LEAST_TO_TEACH = 30
"""Answers from which a teacher can be tuned."""


class Student(View):
    """A model that can learn. `ref`: its id, or the name of a built-in one that is not imported yet (`missing`). `languages`:
    codes of those that it was mostly trained on, as far as they are known."""

    ref: str
    name: str
    layers: int
    parameters: int
    missing: bool = False
    languages: list[str] = []


def students(artifacts: Sequence[ArtifactView], project: str) -> list[Student]:
    """Whole models that were imported and not made here, the largest first; a built-in one that is not imported comes last."""
    found = [
        Student(
            ref=one.id,
            name=one.name,
            layers=int(one.facts["layers"]),
            parameters=int(one.facts["parameters"]),
            languages=_BUILTIN_LANGUAGES.get(one.id) or one.facts.get("languages") or [],
        )
        for one in artifacts
        if one.kind is Kind.MODEL and not one.job_id and _usable(one, project) and one.facts.get("format") == "torch"
    ]
    there = {one.name for one in artifacts}
    missing = [
        Student(ref=name, name=name, layers=_BUILTIN_LAYERS, parameters=0, missing=True, languages=list(row.languages))
        for name, row in BUILTIN.items()
        if name not in there
    ]
    return [*sorted(found, key=lambda one: -one.parameters), *missing]


def other_language(student: Student, language: str) -> Problem | None:
    """A warning where a model was mostly trained on other languages than that of the rows; `language`: its code, "" where it
    is not known."""
    if not language or not student.languages or language in student.languages:
        return None
    known = ", ".join(LANGUAGE_NAMES.get(code, code) for code in student.languages)
    args = {"language": LANGUAGE_NAMES.get(language, language), "known": known, "model": student.name}
    return Problem(code="guide.model_language", args=args, blocking=False)


def teachers(
    artifacts: Sequence[ArtifactView], endpoints: Sequence[EndpointView], project: str, material: Material
) -> list[tuple[Teacher, str]]:
    """(who could teach, the name), the one to propose first. An endpoint is never proposed: rows would be sent there."""
    found: list[tuple[Teacher, str]] = []
    if material.rows.get("train", 0) >= _LEAST_TO_TEACH and material.measurable("validation"):
        found.append((Teacher(TUNED_TEACHER), ""))
    known = {one.id: one for one in artifacts}
    models = [
        one
        for one in artifacts
        if one.kind in (Kind.MODEL, Kind.ADAPTER, Kind.ONNX) and _usable(one, project) and not _is_student(one, known)
    ]
    for one in sorted(models, key=lambda one: -int(one.facts.get("parameters", 0))):
        layers = int(one.facts.get("layers", 0)) if one.kind is not Kind.ONNX else 0
        found.append((Teacher("model", one.id, layers), one.name))
    return found + [(Teacher("endpoint", one.name), one.name) for one in endpoints]


def sends_away(teacher: Teacher, endpoints: Sequence[EndpointView]) -> bool:
    """Whether the rows would leave this machine."""
    return teacher.kind == "endpoint" and any(elsewhere(one.url) for one in endpoints if one.name == teacher.ref)


def plan_guided(studio: Studio, wish: Wish, fetch: bool = False) -> Plan:
    """The whole chain, checked and quoted. `fetch` as in `Studio.model`. Raises StudioError for parameters that can't be."""
    return studio.plan(recipes.build(recipe_of(wish)), fetch)


def preferred_student(studio: Studio, wish: Wish, candidates: Sequence[Student]) -> Student | None:
    """The largest that fits the memory and a time of four hours; the smallest where none does."""
    there = [one for one in candidates if not one.missing]
    for one in there:
        plan = plan_guided(studio, replace(wish, student=one.ref, student_layers=one.layers))
        if plan.seconds <= _LONGEST_SECONDS and not any(each.code == "core.memory_low" for each in plan.blocking):
            return one
    return next(iter([*there[::-1], *candidates]), None)


def can_repair(studio: Studio, run_id: str) -> bool:
    """Whether `again_with` understands the recipe of a run."""
    return repairable(studio.store.recipe(run_id))


def again_with(
    studio: Studio, run_id: str, fixes: Sequence[str], accepted: Sequence[dict[str, str]], project: str
) -> RunView:
    """The recipe of a run once more, with these repairs of its data and findings that may stay, as a new run. The same
    repairs twice give the same run. Raises StudioError."""
    content = repaired(studio.store.recipe(run_id), fixes, accepted)
    key = f"{run_id}:{','.join(fixes)}:{','.join(each['gate'] for each in accepted)}"
    return studio.start(studio.plan(recipes.build(content)), project=project, key=key)


def _usable(one: ArtifactView, project: str) -> bool:
    return belongs_to(one, project) and not one.facts.get(LEFT_OUT)


def _is_student(one: ArtifactView, known: dict[str, ArtifactView]) -> bool:
    """Whether it was pruned, distilled, or quantized from something like that."""
    if one.kind is Kind.MODEL and one.job_id:
        return True
    return one.kind is Kind.ONNX and any(_is_student(known[id_], known) for id_ in one.parents if id_ in known)
