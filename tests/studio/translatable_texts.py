"""Every English text that the studio may ask the catalogue for, with the place that asks: found by reading the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend import stages
from backend.api.examples import SAMPLES
from backend.api.forms import ABLATION
from backend.api.metrics import metrics
from backend.checks.titles import OTHER_TITLES, PHRASES, TITLES
from backend.core.endpoints import PRESETS, SavedEndpoint
from backend.core.fields import labels_of
from backend.core.messages import MESSAGES, reading_words
from backend.core.messages.plurals import Plural
from backend.core.messages.words import WORDS
from backend.core.paths import ROOT, assets
from backend.data.gates.fixes import FIXES
from backend.data.gates.registry import GATES
from backend.generation.judge import RUBRIC
from backend.planning import recipes
from backend.planning.ablation.recipe import AblationParams
from studio.nav import NAV
from studio.ui.palette import items as palette
from studio.ui.shared import choices, ended, formatting


def shell_files() -> list[Path]:
    found = [*sorted((ROOT / "studio").rglob("*.py")), *sorted((ROOT / "pages").glob("*.py"))]
    assert len(found) >= 20
    return found


def calls(path: Path, *names: str) -> Iterator[ast.Call]:
    """The calls of these functions or methods in a file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in names:
                yield node


def texts(node: ast.AST | None) -> Iterator[str]:
    """The string constants in an expression."""
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def has_words(text: str) -> bool:
    """Whether there is something to translate beside placeholders and code."""
    return bool(re.search(r"[A-Za-z]{2}", re.sub(r"\{\w*\}|`[^`]*`", "", text)))


def translatable_texts() -> dict[str, str]:
    """Text -> place, for every text with letters in it. A plural's two forms are two texts."""
    found: dict[str, str] = {}
    for text, place in _everything():
        if has_words(text):
            found.setdefault(text, place)
    assert len(found) > 600
    return found


def _everything() -> Iterator[tuple[str, str]]:
    for path in shell_files():
        for call in calls(path, "_", "ngettext"):
            place = f"{path.relative_to(ROOT)}:{call.lineno}"
            for argument in call.args[: 1 if getattr(call.func, "id", "") == "_" else 2]:
                assert not isinstance(argument, ast.JoinedStr), f"{place}: an f-string can't be translated"
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value, place
    yield from _tables()
    yield from _backend()


def _tables() -> Iterator[tuple[str, str]]:
    for row in NAV:
        yield from ((text, "studio/nav.py") for text in (row.title, row.help, row.section))
    tables: dict[str, list[str]] = {
        "STATES": [word for word, _icon, _colour in formatting.STATES.values()],
        "METRICS": [metric.title for metric in metrics().values()],
        "KINDS": list(formatting.KINDS.values()),
        "NOTES": sorted(choices.NOTES),
        "SENTENCES": list(ended.SENTENCES.values()),
    }
    yield from ((text, "backend/api/examples.py") for one in SAMPLES for text in (one.goal, one.about))
    for title, _icon, more in palette.ACTIONS.values():
        yield from ((text, "studio/ui/palette/items.py: ACTIONS") for text in (title, more))
    for call in calls(Path(palette.__file__), "translate"):
        yield from ((text, "studio/ui/palette/items.py") for text in texts(call))
    for name, found in tables.items():
        yield from ((text, f"studio/ui/shared/formatting.py: {name}") for text in found)


def _backend() -> Iterator[tuple[str, str]]:
    for code, parts in MESSAGES.items():
        yield from ((text, f"backend/messages: {code}") for text in parts)
        yield from ((text.one, f"backend/messages: {code}") for text in parts if isinstance(text, Plural))
    yield from ((text, "backend/core/messages/words.py") for text in sorted(WORDS))
    for table in (reading_words.SCHEMAS, reading_words.KINDS, reading_words.ROLES, reading_words.DELIMITERS):
        yield from ((text, "backend/core/messages/reading_words.py") for text in table.values())
    for call in calls(ROOT / "backend" / "api" / "readings.py", "translate"):
        yield from ((text, "backend/api/readings.py") for text in texts(call))
    yield from ((text, "backend/checks/titles.py") for text in (*TITLES.values(), *OTHER_TITLES.values(), *PHRASES))
    for name, stage in stages.stages().items():
        yield from ((text, f"backend/stages: {name}") for text in (stage.title, *stage.presets))
    forms = {name: stage.params for name, stage in stages.stages().items()} | {ABLATION: AblationParams}
    for name, params in forms.items():
        for field, info in params.model_fields.items():
            words = (info.title, info.description, *labels_of(info).values())
            yield from ((str(text), f"backend/stages: {name}.{field}") for text in words)
    for field, info in SavedEndpoint.model_fields.items():
        yield from ((str(text), f"backend/core/endpoints.py: {field}") for text in (info.title, info.description))
    yield RUBRIC, "backend/generation/judge.py"
    yield from ((gate.title, "backend/data/gates/registry.py") for gate in GATES)
    yield from ((fix.title, "backend/data/gates/fixes.py") for fix in FIXES.values())
    for preset in PRESETS.values():
        yield preset.terms, "backend/core/endpoints.py: PRESETS"
    for path in (assets() / "recipes").glob("*.yaml"):
        yield recipes.load(path).description, path.name
    doctor = ROOT / "backend" / "api" / "doctor.py"
    for call in calls(doctor, "_check", "_optional"):
        for argument in call.args[1:]:
            yield from ((text, "backend/api/doctor.py") for text in texts(argument))
    for node in ast.walk(ast.parse(doctor.read_text("utf-8"))):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("found", "remedy"):
            yield from ((text, "backend/api/doctor.py") for text in texts(node.value))


def literals(annotation: Any) -> set[str]:
    """The words among the choices of a field's type."""
    inner = getattr(annotation, "__args__", ())
    return {each for each in inner if isinstance(each, str)}.union(*(literals(each) for each in inner), set())
