"""Columns of rows that are objects: all keys of all rows, and the leaves of nested objects by dotted names."""

from __future__ import annotations

from typing import Any

_DEPTH = 4
MOST_LEAVES = 100
"""Of one column. An object with more is keyed by something like an id, and its keys are no columns."""


class KeyUnion:
    """Collects the columns of rows, in order of their first appearance."""

    def __init__(self) -> None:
        self._keys: dict[str, dict[str, tuple[str, ...]]] = {}

    def add(self, values: dict[str, Any]) -> None:
        if not values.keys() <= self._keys.keys():
            for key in values:
                self._keys.setdefault(key, {})
        if dict in map(type, values.values()):
            for key, value in values.items():
                if type(value) is dict and len(self._keys[key]) <= MOST_LEAVES:
                    _collect(self._keys[key], (key,), value)

    @property
    def columns(self) -> list[str]:
        """With `meta.source` behind `meta`; a key that has the dotted name itself comes where it stands."""
        found: dict[str, None] = {}
        for key, leaves in self._keys.items():
            found[key] = None
            if len(leaves) <= MOST_LEAVES:
                found |= dict.fromkeys(name for name in leaves if name not in self._keys)
        return list(found)

    @property
    def leaves(self) -> list[tuple[str, tuple[str, ...]]]:
        """(dotted name, path) of every column that is a leaf."""
        columns = set(self.columns)
        return [
            (name, path)
            for leaves in self._keys.values()
            for name, path in leaves.items()
            if name in columns and name not in self._keys
        ]


def with_leaves(values: dict[str, Any], leaves: list[tuple[str, tuple[str, ...]]]) -> dict[str, Any]:
    """The same with its leaves by their dotted names beside the objects."""
    if dict not in map(type, values.values()):
        return values
    found = dict(values)
    for name, (first, *path) in leaves:
        value = values.get(first)
        for key in path:
            if type(value) is not dict or key not in value:
                break
            value = value[key]
        else:
            found[name] = value
    return found


def _is_chat(value: list[Any]) -> bool:
    """Whether a list holds messages, which are a value of their own."""
    first = value[0] if value else None
    return type(first) is dict and ("role" in first or "from" in first)


def _collect(leaves: dict[str, tuple[str, ...]], path: tuple[str, ...], value: dict[str, Any]) -> None:
    for key, inner in value.items():
        below = (*path, str(key))
        if type(inner) is dict:
            if len(below) < _DEPTH:
                _collect(leaves, below, inner)
        elif type(inner) is not list or _is_chat(inner):
            leaves.setdefault(".".join(below), below)
