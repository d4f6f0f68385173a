"""YAML: lists of objects as in JSON, conversations (chatterbot), whose statements take turns, and intents (Rasa)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from backend.core.errors import StudioError
from backend.data.row_errors import Record, RowErrors, json_type
from backend.data.sources.json_shapes import find_parts, objects
from backend.data.sources.leaves import KeyUnion, with_leaves
from backend.data.sources.options import ReadOptions, SourceFacts
from backend.data.sources.text_file import InputFile, text_file

SIZE_LIMIT = 64_000_000
"""Bytes. YAML can't be read in parts."""
_NODE_LIMIT = 20_000_000
_DEPTH = 100
_ROLES = ("user", "assistant")


class YamlSource:
    """Every scalar is text: yes, no and null are words. Raises StudioError for what is no YAML or has no rows."""

    def __init__(self, file: InputFile, options: ReadOptions, facts: SourceFacts) -> None:
        if file.path.stat().st_size > SIZE_LIMIT:
            raise StudioError("data.yaml_large", file=file.name, limit=f"{SIZE_LIMIT // 1_000_000} MB")
        self.path, self.facts, self._file = file.path, facts, file
        self._text = text_file(file, options.encoding)
        self._text.describe(facts)
        self._items = self._rows(_load(self._text.open, file.name), options)
        union = KeyUnion()
        for item in self._items:
            if isinstance(item, dict):
                union.add(item)
        self.columns, self._leaves = union.columns, union.leaves
        if not self.columns:
            errors = RowErrors(file.name)
            for _ in self.records(errors):
                pass
            errors.stop()

    def records(self, row_errors: RowErrors) -> Iterator[Record]:
        """All items; what is no object goes to `row_errors`."""
        for number, item in enumerate(self._items, 1):
            if isinstance(item, dict):
                yield Record(number, with_leaves(item, self._leaves))
            else:
                row_errors.add("data.json_item", number, json_type(item))

    def count(self) -> int:
        return len(self._items)

    def _rows(self, content: Any, options: ReadOptions) -> list[Any]:
        talks = content.get("conversations") if isinstance(content, dict) and not options.records else None
        if isinstance(talks, list) and talks and sum(map(_is_talk, talks)) >= 0.9 * len(talks):
            return _conversations(talks)
        intents = content.get("nlu") if isinstance(content, dict) and not options.records else None
        if isinstance(intents, list) and intents and all(_is_intent(entry) for entry in intents):
            return [row for entry in intents for row in _utterances(entry)]
        parts = find_parts(content, options.records, self._file.name, self.facts.notes)
        return [item for part in parts for item in objects(part, options.header, self._file.name, self.facts.notes)]


def _load(opened: Any, name: str) -> Any:
    import yaml

    try:
        with opened() as stream:
            documents = list(_built(yaml.parse(stream, Loader=yaml.CBaseLoader), name))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        row, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        reason = error.problem or "unreadable bytes"
        raise StudioError("data.yaml", file=name, row=row, column=column, reason=reason) from None
    except (yaml.YAMLError, UnicodeError, ValueError):
        raise StudioError("data.yaml", file=name, row=1, column=1, reason="unreadable bytes") from None
    return documents[0] if len(documents) == 1 else documents


def _built(events: Iterable[Any], name: str) -> Iterator[Any]:
    """The documents, without types and tags. Not by the library's own constructor, which recurses in C: deep nesting ends the
    process. An alias costs a few bytes and may stand for thousands of nodes, so these are counted."""
    import yaml

    anchors: dict[str | None, tuple[Any, int]] = {}
    open_nodes: list[_Node] = []
    total = 0
    for event in events:
        weight = 1
        if isinstance(event, yaml.AliasEvent):
            value, weight = anchors.get(event.anchor, (None, 1))
        elif isinstance(event, yaml.ScalarEvent):
            value = event.value
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            value = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            open_nodes.append(_Node(value, event.anchor, total))
            if len(open_nodes) > _DEPTH:
                raise StudioError("data.yaml", file=name, row=1, column=1, reason="nested too deeply")
            continue
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            node = open_nodes.pop()
            value = node.value
            anchors[node.anchor] = value, total - node.began
        else:
            continue
        if isinstance(event, yaml.ScalarEvent) and event.anchor:
            anchors[event.anchor] = value, 1
        total += weight
        if total > _NODE_LIMIT:
            raise StudioError("data.yaml_large", file=name, limit=f"{SIZE_LIMIT // 1_000_000} MB")
        if not open_nodes:
            yield value
        else:
            open_nodes[-1].add(value)


@dataclass
class _Node:
    """A list or object that isn't closed. `began`: nodes before it; `key`: of the value that comes next."""

    value: Any
    anchor: str | None
    began: int
    key: Any = None
    has_key: bool = False

    def add(self, value: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif not self.has_key:
            self.key, self.has_key = value, True
        else:
            self.has_key = False
            if self.key == "<<" and isinstance(value, dict):
                self.value |= {key: inner for key, inner in value.items() if key not in self.value}
            else:
                self.value[self.key if isinstance(self.key, str) else str(self.key)] = value


def _is_talk(talk: Any) -> bool:
    return isinstance(talk, list) and bool(talk) and all(isinstance(statement, str) for statement in talk)


def _conversations(talks: list[Any]) -> list[Any]:
    """Questions and answers where every conversation has two statements, else messages. What is neither stays as it is."""
    pairs = all(len(talk) <= 2 for talk in talks if _is_talk(talk))
    return [(_pair(talk) if pairs else _messages(talk)) if _is_talk(talk) else talk for talk in talks]


def _pair(talk: list[str]) -> dict[str, str | None]:
    return {"question": talk[0], "answer": talk[1] if len(talk) > 1 else None}


def _messages(talk: list[str]) -> dict[str, list[dict[str, str]]]:
    return {"messages": [{"role": _ROLES[turn % 2], "content": said} for turn, said in enumerate(talk)]}


def _is_intent(entry: Any) -> bool:
    """Rasa's training data: the sentences of an intent in one text, each behind a dash."""
    return isinstance(entry, dict) and "examples" in entry and isinstance(entry["examples"], str)


def _utterances(entry: dict[str, str]) -> list[dict[str, str]]:
    about = {key: value for key, value in entry.items() if key != "examples"}
    lines = (line.strip().removeprefix("-").strip() for line in entry["examples"].splitlines())
    return [{"text": line, **about} for line in lines if line]
