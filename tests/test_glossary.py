"""The glossary holds: no word that it replaced names anything in the product's code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from backend.core.paths import ROOT
from docs.glossary import OldWord, terms

STILL_THERE = {
    "backend/api/ablations.py:step",
    "backend/api/imports.py:step",
    "backend/api/studio.py:step",
    "backend/cli/chat.py:step",
    "backend/cli/run.py:step",
    "backend/planning/matrix.py:_STEP",
    "backend/planning/matrix.py:step",
    "backend/planning/planner.py:step",
    "backend/planning/planner.py:step_id",
    "backend/planning/recipes.py:step",
    "backend/planning/recipes.py:step_id",
}
"""`path:name` of what is still called by an old word. May only shrink."""
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def names(tree: ast.AST) -> Iterator[str]:
    """What a module defines: classes, functions, parameters, variables, attributes, aliases of imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname


def product_names() -> set[tuple[str, str]]:
    """(path, name) of everything that the product defines, modules and packages included."""
    found = set()
    for path in (path for folder in ("backend", "studio", "pages") for path in (ROOT / folder).rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        module = path.parent.name if path.stem == "__init__" else path.stem
        found |= {(place, name) for name in (module, *names(ast.parse(path.read_text("utf-8"))))}
    return found


def is_old(word: str, rule: OldWord | None, path: str, name: str) -> bool:
    """Whether `name` in `path` is called by `word` in the sense that the glossary replaces."""
    rule = rule or OldWord()
    named = fnmatchcase(name, word) if word != word.lower() or "_" in word else word in parts(name)
    meant = any(fnmatchcase(path, pattern) for pattern in rule.only)
    return named and meant and not any(fnmatchcase(f"{path}:{name}", pattern) for pattern in rule.allowed)


def parts(name: str) -> set[str]:
    return {part.lower() for part in _PARTS.findall(name)}


def old_words_of(defined: set[tuple[str, str]]) -> dict[str, str]:
    """`path:name` -> the old word in it."""
    return {
        f"{path}:{name}": word
        for term in terms()
        for word, rule in term.instead_of.items()
        for path, name in defined
        if is_old(word, rule, path, name)
    }


def test_no_old_word_is_left() -> None:
    defined = product_names()
    assert len(defined) > 5000
    found = old_words_of(defined)
    assert {place: word for place, word in found.items() if place not in STILL_THERE} == {}
    assert set(found) >= STILL_THERE, "take from STILL_THERE what has its new name"


def test_an_old_word_is_found_in_every_form() -> None:
    tree = ast.parse(
        "class Seat:\n def take(self, free_seats): self.desk = 1\nimport numpy as _mouth\nSIEVE = Turns = 1"
    )
    found = old_words_of({("backend/x.py", name) for name in names(tree)})
    assert set(found.values()) == {"seat", "seats", "desk", "mouth", "sieve", "Turns"}


def test_an_allowed_sense_is_let_through() -> None:
    assert old_words_of({("studio/ui/form.py", "draw_fields")}) == {}
    assert old_words_of({("backend/stages/form.py", "draw_fields")}) == {"backend/stages/form.py:draw_fields": "draw"}
    assert old_words_of({("backend/planning/x.py", "recipe")}) == {}
    assert old_words_of({("backend/models/x.py", "recipe")}) == {"backend/models/x.py:recipe": "recipe"}


def test_every_exception_is_used() -> None:
    """One that lets nothing through is a rule that nobody needs any more."""
    defined = {f"{path}:{name}": (path, name) for path, name in product_names()}
    unused = [
        pattern
        for term in terms()
        for word, rule in term.instead_of.items()
        for pattern in (rule.allowed if rule else ())
        if not any(
            fnmatchcase(place, pattern) and is_old(word, OldWord(only=rule.only if rule else ["*"]), *defined[place])
            for place in defined
        )
    ]
    assert unused == []


def test_every_row_has_its_meaning_and_every_term_stands_once() -> None:
    listed = [word.strip() for term in terms() for word in term.term.split(",")]
    assert len(listed) > 40
    assert len(set(listed)) == len(listed)
    assert all(term.means.endswith(".") and len(term.means) > 10 for term in terms())
