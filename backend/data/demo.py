"""The demo: voice commands of a smart home and their intent, in English and Spanish.

Sentences are drawn from the templates of `home-assistant-intents` (Apache-2.0), parsed by `hassil`, with our own rooms and
devices in the open places. Each row keeps its template as `group`, so that test templates are not in training.

Intents that mean the same to a listener are made one: adding to the shopping list is adding to a list, cleaning a room is
starting the vacuum. Small talk (HassRespond) is left out, each of its templates is a matter of its own. Locks are left out of
HassTurnOn/HassTurnOff (locking is "turn on" there, but opening a blind is, too).
An intent stays when every language has at least five templates for it. A sentence that two intents claim is dropped.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backend.data.demo_slot_values import LANGUAGES, NAMES, NUMBERS, WORDS
from backend.data.examples import Example
from backend.data.params import DEMO_SOURCE

SOURCE = DEMO_SOURCE
LICENSE = "Apache-2.0"
NOTICE = """Sentences drawn from the templates of Home Assistant Intents (https://github.com/OHF-Voice/intents),
copyright The Home Assistant Authors, licensed under the Apache License 2.0 (https://www.apache.org/licenses/LICENSE-2.0).
Changes: open places were filled with other words, intents that overlap were merged or left out, templates were sampled.
"""
_MERGED_INTENTS = {"HassShoppingListAddItem": "HassListAddItem", "HassVacuumCleanArea": "HassVacuumStart"}
_EXCLUDED_INTENTS = {"HassShoppingListCompleteItem", "HassRespond"}
_MIN_TEMPLATES = 5
_MAX_PER_INTENT = 240
"""Sentences of one intent in one language, at most: intents with many templates must not drown the others."""
_MAX_PER_TEMPLATE = 24
_MIN_PER_TEMPLATE = 3
"""A template gives at least this many sentences, if it has them."""


def demo_examples(languages: tuple[str, ...] = LANGUAGES, seed: int = 0) -> list[Example]:
    """All rows, deterministic by languages and seed; about 9,200 of 22 intents for both languages, in 1.5 s the first time.
    Nobody may change them."""
    return list(_examples(languages, seed))


@lru_cache(maxsize=4)
def _examples(languages: tuple[str, ...], seed: int) -> tuple[Example, ...]:
    """Kept with the keys that they are shuffled by: a form asks for them at each change."""
    return tuple(
        Example(number, text, intent, group=template)
        for number, (text, intent, template) in enumerate(_sentences(languages, seed), 1)
    )


def digest(rows: list[Example]) -> str:
    """SHA-256 over texts and intents, in order."""
    text = "\n".join(f"{row.input}\t{row.output}" for row in rows)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class _Template:
    id: str
    language: str
    intent: str
    sentence: str
    domains: tuple[str, ...]


def _sentences(languages: tuple[str, ...], seed: int) -> tuple[tuple[str, str, str], ...]:
    """(text, intent, template id), in the order of the templates."""
    claims: dict[str, set[str]] = defaultdict(set)
    first: dict[str, tuple[str, str]] = {}
    by_language = {language: _load(language) for language in languages}
    templates = {language: list(_templates(language, by_language[language])) for language in languages}
    kept = _kept_intents(templates)
    for language in languages:
        grammar = _Grammar(language, by_language[language])
        mine = [template for template in templates[language] if template.intent in kept]
        shares = _shares(mine)
        for template in mine:
            for text in grammar.draw(template, shares[template.intent], seed):
                claims[text].add(template.intent)
                first.setdefault(text, (template.intent, template.id))
    return tuple((text, *found) for text, found in first.items() if len(claims[text]) == 1)


def _load(language: str) -> dict[str, Any]:
    spec = find_spec("home_assistant_intents")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("home_assistant_intents")
    file = Path(spec.origin).parent / "data" / f"{language}.json"
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content


def _templates(language: str, content: dict[str, Any]) -> Iterator[_Template]:
    for name, body in sorted(content["intents"].items()):
        if name in _EXCLUDED_INTENTS:
            continue
        for block, entry in enumerate(body["data"]):
            domains = _domains(entry)
            if domains == ("lock",) and name in ("HassTurnOn", "HassTurnOff"):
                continue
            for index, sentence in enumerate(entry["sentences"]):
                yield _Template(
                    f"{language}/{name}/{block}/{index}", language, _MERGED_INTENTS.get(name, name), sentence, domains
                )


def _domains(entry: dict[str, Any]) -> tuple[str, ...]:
    """What kinds of device {name} may be in these sentences."""
    wanted = (entry.get("requires_context") or {}).get("domain") or ("light",)
    return (wanted,) if isinstance(wanted, str) else tuple(wanted)


def _kept_intents(templates: dict[str, list[_Template]]) -> set[str]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for language, found in templates.items():
        for template in found:
            counts[template.intent][language] += 1
    return {name for name, by in counts.items() if all(by[language] >= _MIN_TEMPLATES for language in templates)}


def _shares(templates: list[_Template]) -> dict[str, int]:
    """Sentences to draw from each template, by intent."""
    counts: dict[str, int] = defaultdict(int)
    for template in templates:
        counts[template.intent] += 1
    return {
        name: min(_MAX_PER_TEMPLATE, max(_MIN_PER_TEMPLATE, _MAX_PER_INTENT // count)) for name, count in counts.items()
    }


class _Grammar:
    """Draws sentences of one language by walking its templates at random."""

    def __init__(self, language: str, content: dict[str, Any]) -> None:
        self.language = language
        self.lists: dict[str, list[Any]] = {
            name: [_parse(value["in"] if isinstance(value, dict) else value) for value in body["values"]]
            for name, body in content["lists"].items()
            if "values" in body
        }
        self.rules = {name: _parse(body) for name, body in content["expansion_rules"].items()}

    def draw(self, template: _Template, count: int, seed: int) -> list[str]:
        """Up to `count` distinct sentences; fewer when the template has no more."""
        chance = random.Random(f"{seed}/{template.id}")
        expression = _parse(template.sentence)
        found: dict[str, None] = {}
        for _ in range(count * 4):
            text = " ".join(self._walk(expression, chance, template.domains).split())
            found[text] = None
            if len(found) == count:
                break
        return list(found)

    def _walk(self, node: Any, chance: random.Random, domains: tuple[str, ...]) -> str:
        from hassil import expression as h

        if isinstance(node, h.TextChunk):
            return node.original_text
        if isinstance(node, h.ListReference):
            return self._fill(node.list_name, chance, domains)
        if isinstance(node, h.RuleReference):
            return self._walk(self.rules[node.rule_name], chance, domains)
        if isinstance(node, h.Alternative):
            return self._walk(_choose(node, chance), chance, domains)
        parts = [self._walk(item, chance, domains) for item in node.items]
        if isinstance(node, h.Permutation):
            chance.shuffle(parts)
            return " ".join(parts)
        return "".join(parts)

    def _fill(self, name: str, chance: random.Random, domains: tuple[str, ...]) -> str:
        if name == "name":
            names = NAMES[self.language]
            return chance.choice(names[chance.choice([domain for domain in domains if domain in names])])
        words = WORDS[self.language].get(name) or NUMBERS.get(name)
        if words:
            return chance.choice(words)
        return self._walk(chance.choice(self.lists[name]), chance, domains)


def _choose(node: Any, chance: random.Random) -> Any:
    """One branch; an optional part is left out half of the time."""
    full = [item for item in node.items if not getattr(item, "is_empty", False)]
    if node.is_optional and len(full) < len(node.items):
        empty = [item for item in node.items if getattr(item, "is_empty", False)]
        return chance.choice(empty if chance.random() < 0.5 else full)
    return chance.choice(node.items)


def _parse(text: str) -> Any:
    from hassil.parse_expression import parse_sentence

    return parse_sentence(text).expression
