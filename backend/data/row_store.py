"""Rows on their way into a dataset: each as a line of a scratch file, and of each in memory only what the split needs.

About 55 bytes a row: fingerprints of the input, answer, label, group, split, place of the line. Without a file only these are
kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from xxhash import xxh3_64_intdigest

from backend.data.dataset import SPLITS
from backend.data.examples import Example, stored_row
from backend.data.near_clusters import MAX_TEXTS
from backend.data.plain_rows import PlainRows
from backend.data.row_gather import gather
from backend.data.sources.column_block import texts
from backend.data.split_keys import MostlyZero, RowKeys, context_text, digests, hashes
from backend.data.text_forms import block_forms, content

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_LABEL = -1
"""Code of a row without an answer."""
TOO_LONG = -2
"""Code of an answer that is no label: too long, of several lines, or one too many."""
MAX_LABEL_CHARS = 200
MAX_DISTINCT = 20_000
"""Answers that are told apart as labels; with more of them none is."""
ORIGINS = SPLITS[:3]
"""Where a row comes from, as splits are counted: 0 is the source itself, the others are files of their own."""
_BLOCK = 1 << 20


@dataclass
class Facts:
    """One value per row. `keys`: hashes of the input and its context; `answers`, `rejected`, `groups`: hashes of this process,
    0 for none; `labels`: codes of `RowStore.labels`; `splits`: what the source says, as the index in SPLITS, -1 for nothing;
    `origins`: the index in ORIGINS; `times`: empty where no row has one."""

    keys: NDArray[np.uint64]
    answers: NDArray[np.int64]
    rejected: NDArray[np.int64]
    labels: NDArray[np.int32]
    groups: NDArray[np.int64]
    splits: NDArray[np.int8]
    origins: NDArray[np.int8]
    times: NDArray[np.float64]


@dataclass(repr=False)
class RowStore:
    """`path`: the scratch file, None to keep the facts alone. `prompt_chars`, `answer_chars`: sums without the template's own
    words; `systems`: how many rows begin with the first system prompt that was met (`system`); `pairs`: rows with a worse
    answer beside the answer, whose characters are `rejected_chars`; `only_rejected`: numbers of the rows that hold nothing
    but a worse answer; `keys`: what keeps rows on one side of a split."""

    path: Path | None = None
    labels: dict[str, int] = field(default_factory=dict)
    count: int = 0
    answered: int = 0
    prompt_chars: int = 0
    answer_chars: int = 0
    system: str = ""
    systems: int = 0
    other_systems: int = 0
    pairs: int = 0
    rejected_chars: int = 0
    only_rejected: list[int] = field(default_factory=list)
    keys: RowKeys = field(default_factory=RowKeys)

    def __post_init__(self) -> None:
        self._keys, self._answers, self._groups = array("Q"), array("q"), MostlyZero("q")
        self._rejected = MostlyZero("q")
        self._labels, self._splits, self._origins = array("i"), array("b"), array("b")
        self._times = array("d")
        self._starts = array("q", [0])
        self._file = self.path.open("wb", buffering=_BLOCK) if self.path else None

    def add(self, example: Example) -> None:
        self.count += 1
        self._keys.append(xxh3_64_intdigest(example.form.encode("utf-8", "surrogatepass")))
        text = example.input
        if example.context:
            text = f"{context_text(example.context)}\n{text}"
            self._look_at_context(example)
        self.keys.add(text, example.key if self.count <= MAX_TEXTS else None, example.shared)
        self._add_answer(example)
        self._groups.append(hash(example.group) or 1 if example.group else 0)
        self._splits.append(SPLITS.index(example.split) if example.split else -1)
        self._origins.append(ORIGINS.index(example.origin) if example.origin else 0)
        if example.time is not None:
            self._times.append(example.time)
        self.prompt_chars += len(example.input)
        if self._file:
            line = orjson.dumps(stored_row(example))
            self._file.write(line + b"\n")
            self._starts.append(self._starts[-1] + len(line) + 1)

    def add_plain(self, rows: PlainRows, origin: str) -> None:
        """Rows that are nothing but a text, its answer and what travels with it: the same as `add` of each."""
        import numpy as np
        import pyarrow.compute as pc

        number = len(rows.places)
        self.count += number
        forms, words = block_forms(rows.texts)
        self._keys.frombytes(hashes(forms).tobytes())
        self.keys.add_all(
            digests(rows.texts, words), lambda: [blake2b(form, digest_size=16).digest() for form in forms]
        )
        coded = rows.answers.dictionary_encode()
        answers, places = texts(coded.dictionary), coded.indices.to_numpy()
        self._labels.frombytes(np.array(self._codes(answers), np.int32)[places].tobytes())
        self._answers.frombytes(np.array([hash(answer) or 1 for answer in answers], np.int64)[places].tobytes())
        self._groups.add_zeros(number)
        self._rejected.add_zeros(number)
        self._splits.frombytes(np.full(number, -1, np.int8).tobytes())
        self._origins.frombytes(np.full(number, ORIGINS.index(origin) if origin else 0, np.int8).tobytes())
        self.prompt_chars += pc.sum(pc.utf8_length(rows.texts)).as_py()
        self.answered += number
        self.answer_chars += pc.sum(pc.utf8_length(rows.answers)).as_py()
        if self._file:
            lines = rows.lines(origin)
            self._file.write(content(lines))
            ends = np.cumsum(pc.binary_length(lines).to_numpy().astype(np.int64)) + self._starts[-1]
            self._starts.frombytes(ends.tobytes())

    def counts(self) -> dict[str, int]:
        """Answer -> rows that have it, as it stands in the file; {} where answers are no labels."""
        import numpy as np

        codes = np.frombuffer(self._labels, dtype=np.int32)
        if not len(codes) or (codes == TOO_LONG).any():
            return {}
        found = np.bincount(codes[codes >= 0], minlength=len(self.labels))
        return {label: int(found[code]) for label, code in self.labels.items()}

    def facts(self) -> Facts:
        """What is known of every row, in the order of the file."""
        import numpy as np

        return Facts(
            np.frombuffer(self._keys, dtype=np.uint64),
            np.frombuffer(self._answers, dtype=np.int64),
            self._rejected.numbers(),
            np.frombuffer(self._labels, dtype=np.int32),
            self._groups.numbers(),
            np.frombuffer(self._splits, dtype=np.int8),
            np.frombuffer(self._origins, dtype=np.int8),
            np.frombuffer(self._times, dtype=np.float64) if self._times else np.empty(0),
        )

    def finish(self) -> None:
        """Every row is in the file."""
        if self._file:
            self._file.close()
            self._file = None

    def blocks(self, numbers: NDArray[Any]) -> Iterator[bytes]:
        """The stored rows of these numbers (from 0), in this order, each as JSON with a line break, many at a time."""
        import numpy as np

        assert self.path is not None
        return gather(self.path, np.frombuffer(self._starts, np.int64), numbers)

    def lines(self, numbers: Iterable[int]) -> Iterator[bytes]:
        """The same one by one."""
        import numpy as np

        for block in self.blocks(np.fromiter(numbers, np.int64)):
            yield from block.splitlines(keepends=True)

    def row(self, number: int) -> dict[str, Any]:
        """One stored row."""
        found: dict[str, Any] = orjson.loads(next(self.lines([number])))
        return found

    def texts(self, numbers: Any) -> list[str]:
        """All that a model reads of these rows, system prompts aside."""
        rows = map(orjson.loads, self.lines(numbers))
        return [f"{context_text(row.get('context', ()))}\n{row['input']}" for row in rows]

    def _add_answer(self, example: Example) -> None:
        output, rejected = example.output, example.rejected
        self._labels.append(self._code(output))
        self._rejected.append(0 if rejected is None else hash(rejected) or 1)
        if output is None:
            self._answers.append(0)
            if rejected is not None:
                self.only_rejected.append(self.count - 1)
            return
        self.answered += 1
        self.answer_chars += len(output)
        if rejected is not None:
            self.pairs += 1
            self.rejected_chars += len(rejected)
        found = hash((output, str(example.tool_calls))) if example.tool_calls else hash(output)
        self._answers.append(found or 1)

    def _look_at_context(self, example: Example) -> None:
        self.prompt_chars += sum(len(message["content"] or "") for message in example.context)
        first = example.context[0]
        if first["role"] != "system":
            return
        if not self.system:
            self.system = first["content"]
        if first["content"] == self.system:
            self.systems += 1
        else:
            self.other_systems += 1

    def _codes(self, outputs: list[str]) -> list[int]:
        known = self.labels
        found = [known.get(output) for output in outputs]
        return [self._code(output) if code is None else code for output, code in zip(outputs, found, strict=True)]

    def _code(self, output: str | None) -> int:
        if output is None:
            return NO_LABEL
        code = self.labels.get(output)
        if code is None:
            if len(output) > MAX_LABEL_CHARS or "\n" in output.strip() or len(self.labels) >= MAX_DISTINCT:
                return TOO_LONG
            code = self.labels[output] = len(self.labels)
        return code
