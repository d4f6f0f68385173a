"""A dataset in the formats that others read. Every writer yields pieces of text or bytes, a row or a batch at a time.

`csv`, `jsonl` and `parquet` are our own: all splits with every part of a row, and importing them gives the same rows. The
others hold one split, as messages, so that no test row ends in somebody's training.
"""

from __future__ import annotations

import csv
import io
import json
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

from backend.core.csv_cells import escape_formula
from backend.core.errors import StudioError
from backend.data import own_format
from backend.data.dataset import SPLITS, DataFolder, Message, Row

Writer = Callable[[DataFolder, str], Iterator[str | bytes]]
PARQUET_ROWS = 10_000


class Taken(io.RawIOBase):
    """A file that is handed on while it is written; it can't be rewound, and what was taken is gone."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, chunk: bytes) -> int:  # type: ignore[override]
        self._held += chunk
        self._at += len(chunk)
        return len(chunk)

    @property
    def waiting(self) -> int:
        """Bytes that wait to be taken."""
        return len(self._held)

    def take(self) -> bytes:
        taken, self._held = bytes(self._held), bytearray()
        return taken


@dataclass(frozen=True)
class Format:
    """`suffix` without a dot; `title`: what it is called on a page; `by_split`: it holds one split; `tools`: it can hold calls
    of tools."""

    name: str
    title: str
    suffix: str
    media_type: str
    write: Writer
    by_split: bool = False
    tools: bool = True


def _rows(data: DataFolder) -> Iterator[tuple[str, Row]]:
    return ((split, row) for split in SPLITS for row in data.rows(split))


def _csv(data: DataFolder, split: str) -> Iterator[str]:
    """With a byte order mark, without which a spreadsheet misreads accents."""
    line = io.StringIO()
    writer = csv.writer(line)
    yield "\ufeff"
    writer.writerow(own_format.COLUMNS)
    for name, row in _rows(data):
        writer.writerow(map(escape_formula, own_format.cells_of(name, row).values()))
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()


def _jsonl(data: DataFolder, split: str) -> Iterator[str]:
    for name, row in _rows(data):
        yield _line({"split": name, **row.model_dump(exclude_defaults=True)})


def _parquet(data: DataFolder, split: str) -> Iterator[bytes]:
    """Texts as strings, lists and objects as JSON, the confidence as a number."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [(name, pa.float64() if name == "confidence" else pa.string()) for name in own_format.COLUMNS]
    schema, sink = pa.schema(fields), Taken()
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), schema, compression="zstd") as writer:
        rows = _rows(data)
        while batch := [_typed(name, row) for name, row in islice(rows, PARQUET_ROWS)]:
            writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))
            yield sink.take()
    yield sink.take()


def _typed(split: str, row: Row) -> dict[str, Any]:
    cells: dict[str, Any] = {name: cell or None for name, cell in own_format.cells_of(split, row).items()}
    return cells | {"input": row.input, "output": row.output, "confidence": row.confidence}


def _openai(data: DataFolder, split: str) -> Iterator[str]:
    """A conversation is one line; a reply that is no row of its own is not to be learned (`weight` 0)."""
    for messages, tools in conversations(data, split):
        yield _line({"messages": messages, **({"tools": tools} if tools else {})})


def _sharegpt(data: DataFolder, split: str) -> Iterator[str]:
    roles = {"user": "human", "assistant": "gpt", "tool": "observation"}

    def entry(messages: list[Message], tools: list[dict[str, Any]]) -> dict[str, Any]:
        system = next((each["content"] for each in messages if each["role"] in ("system", "developer")), "")
        turns = [
            {"from": "function_call", "value": json.dumps(_calls(each), ensure_ascii=False)}
            if each.get("tool_calls")
            else {"from": roles[each["role"]], "value": each.get("content") or ""}
            for each in messages
            if each["role"] in roles
        ]
        extra = {"system": system} if system else {}
        extra |= {"tools": json.dumps(tools, ensure_ascii=False)} if tools else {}
        return {"conversations": turns, **extra}

    return _json_list(entry(*each) for each in conversations(data, split))


def _calls(message: Message) -> list[dict[str, Any]]:
    """Name and arguments of the calls; one alone stands without a list."""
    found = []
    for call in message["tool_calls"]:
        function = call.get("function", call)
        arguments = function.get("arguments", {})
        with suppress(json.JSONDecodeError):
            arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
        found.append({"name": function.get("name", ""), "arguments": arguments})
    return found[0] if len(found) == 1 else found  # type: ignore[return-value]


def _alpaca(data: DataFolder, split: str) -> Iterator[str]:
    """`instruction` is what the model is asked, after the turns in `history`; `system`: what all of them begin with."""

    def entry(row: Row) -> dict[str, Any]:
        *before, last = data.template.prompt(row)
        system = next((each["content"] for each in before if each["role"] in ("system", "developer")), "")
        turns = [each["content"] for each in before if each["role"] in ("user", "assistant")]
        history = [list(pair) for pair in zip(turns[::2], turns[1::2], strict=False)]
        extra: dict[str, Any] = {"system": system} if system else {}
        extra |= {"history": history} if history else {}
        return {"instruction": last["content"], "input": "", "output": row.output, **extra}

    return _json_list(entry(row) for row in data.rows(split) if row.output is not None)


def conversations(data: DataFolder, split: str) -> Iterator[tuple[list[Message], list[dict[str, Any]]]]:
    """(messages, tools) of every row with an answer; rows of one conversation are merged into their last one."""
    last = _last_turns(data, split)
    for at, row in enumerate(data.rows(split)):
        learned = last.get(at) if row.conversation else None
        if row.output is None or (row.conversation and learned is None):
            continue
        messages = [dict(each) for each in data.template.prompt(row)]
        messages[0].pop("tools", None)  # they stand beside the messages
        if learned:
            added = len(messages) - _place_of_answer(row)  # a system message before the context
            for place, each in enumerate(messages):
                if each["role"] == "assistant" and place - added not in learned:
                    each["weight"] = 0
        answer: Message = {"role": "assistant", "content": row.output}
        if row.tool_calls:
            answer = {"role": "assistant", "content": row.output or None, "tool_calls": row.tool_calls}
        yield [*messages, answer], row.tools


def _place_of_answer(row: Row) -> int:
    """How many messages of its conversation come before a row's answer, an added system message not counted."""
    return len(row.context) + (not row.answers_context)


def _last_turns(data: DataFolder, split: str) -> dict[int, set[int]]:
    """Of every conversation the row with its last turn: its place -> the places of the answers of all its rows."""
    import numpy as np

    who, turn, place = array("Q"), array("L"), array("L")
    for at, row in enumerate(data.rows(split)):
        if row.conversation and row.output is not None:
            who.append(int.from_bytes(blake2b(row.conversation.encode(), digest_size=8).digest(), "little"))
            turn.append(_place_of_answer(row))
            place.append(at)
    if not who:
        return {}
    order = np.lexsort((np.array(turn), np.array(who)))
    found: dict[int, set[int]] = {}
    places: set[int] = set()
    for here, after in zip(order, [*order[1:], None], strict=True):
        places.add(turn[here])
        if after is None or who[after] != who[here]:
            found[place[here]] = places
            places = set()
    return found


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _json_list(entries: Iterable[Any]) -> Iterator[str]:
    before = "[\n"
    for entry in entries:
        yield before + json.dumps(entry, ensure_ascii=False)
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("csv", "CSV", "csv", "text/csv; charset=utf-8", _csv),
        Format("jsonl", "JSON Lines", "jsonl", "application/jsonl; charset=utf-8", _jsonl),
        Format("parquet", "Parquet", "parquet", "application/vnd.apache.parquet", _parquet),
        Format("openai", "OpenAI messages", "jsonl", "application/jsonl; charset=utf-8", _openai, by_split=True),
        Format("sharegpt", "ShareGPT", "json", "application/json", _sharegpt, by_split=True),
        Format("alpaca", "Alpaca", "json", "application/json", _alpaca, by_split=True, tools=False),
    )
}
"""The one list: page, address and command line read it."""


def export(ref: str, data: DataFolder, format: str, split: str = "train") -> Iterator[str | bytes]:
    """A dataset in one of `FORMATS`. Raises StudioError, before the first piece, for an unknown format, a split without rows,
    and for tools that the format can't hold."""
    chosen = FORMATS.get(format)
    if chosen is None:
        raise StudioError("files.format", ref=ref, format=format)
    if chosen.by_split:
        filled = [name for name in SPLITS if any(row.output is not None for row in islice(data.rows(name), 1))]
        if split not in filled:
            raise StudioError("edits.split_unknown", field="split", ref=ref, split=split, splits=", ".join(filled))
    if not chosen.tools and any(row.tools or row.tool_calls for row in data.rows(split)):
        raise StudioError("edits.tools", field="format", ref=ref, format=chosen.title)
    return chosen.write(data, split)
