"""From the parameters of the dataset stage to the rows of a dataset: read, map, decide the kind of answer, divide, warn.

The source is read twice, in bounded memory: once for its reading, once for its rows, which wait in a scratch file until it is
known where each belongs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import orjson

from backend.core.artifacts import sha256
from backend.core.errors import Problem, StudioError
from backend.data import demo
from backend.data.dataset import Template
from backend.data.divide import Division, Numbers
from backend.data.examples import to_pool
from backend.data.mapping.mapper import Mapper
from backend.data.params import DatasetParams
from backend.data.plain_rows import PlainColumns, plain_rows
from backend.data.prompt import is_own_export, make_template, shared_system
from backend.data.reader import ReadOptions, Source, open_source
from backend.data.reading.model import Reading
from backend.data.reading.read import read
from backend.data.row_errors import RowErrors
from backend.data.row_store import RowStore
from backend.data.row_warnings import class_warnings, find_warnings, label_warnings
from backend.data.sources.column_block import BATCH, ColumnBlock, SourceBlock, limited, parts, records_of, row_blocks

OnProgress = Callable[[int, int, str], None]
"""Called with (rows done, rows expected, what is being done)."""


@dataclass
class PreparedDataset:
    """What goes into the artifact: `numbers` of the rows in `store` by split. Pool rows keep their answer as `gold`."""

    store: RowStore
    numbers: Numbers
    template: Template
    sha256: str
    spelling: dict[str, str]
    reading: Reading | None = None
    warnings: list[Problem] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)
    shared_system: str = ""

    def blocks(self, split: str) -> Iterator[bytes]:
        """The rows of a split as they are stored, many at a time: one JSON object each, with a line break."""
        prefix = _system_prefix(self.shared_system)
        respelled = {raw: label for raw, label in self.spelling.items() if raw != label}
        numbers = self.numbers.get(split)
        for block in self.store.blocks(numbers) if numbers is not None else ():
            if not prefix and not respelled and split != "pool":
                yield block
            else:
                yield b"".join(_changed(line, prefix, respelled, split) for line in block.splitlines(keepends=True))

    def rows(self, split: str) -> Iterator[dict[str, Any]]:
        """The same as objects."""
        for block in self.blocks(split):
            yield from map(orjson.loads, block.splitlines())


@dataclass
class Loaded:
    """What came of all files before it is divided."""

    store: RowStore
    sha256: str = ""
    reading: Reading | None = None
    columns: str = ""
    row_errors: list[RowErrors] = field(default_factory=list)
    notes: list[RowErrors] = field(default_factory=list)


def prepare(
    params: DatasetParams, seed: int, scratch: Path, each: OnProgress = lambda done, total, note: None
) -> PreparedDataset:
    """Read everything and divide it; `scratch` is a folder for a file as large as the source. Raises StudioError with all that
    is wrong, and with the question of a reading that is not sure."""
    loaded = load(params, seed, Loaded(RowStore(scratch / "rows.jsonl")), each)
    stop_at_row_errors(params, loaded)
    store = loaded.store
    template, spelling = make_template(params, store, loaded.reading, loaded.columns)
    shared = shared_system(store, loaded.reading)
    warnings = loaded_warnings(loaded)
    names = [spelling[label] for label in store.labels] if spelling else None
    warnings += find_warnings(store, names)
    warnings += label_warnings(store, spelling)
    each(1, 1, "splitting the rows")
    dropped: Counter[str] = Counter(sum((Counter(row_errors.counts) for row_errors in loaded.row_errors), Counter()))
    division = Division(store, params, names, seed, is_own_export(loaded.reading), dropped, [])
    numbers = division.divide(lambda done: each(round(1000 * done), 1000, "splitting the rows"))
    warnings += division.said + class_warnings(store, numbers, template.labels, names)
    return PreparedDataset(
        store, numbers, template, loaded.sha256, spelling, loaded.reading, warnings, dict(dropped), shared
    )


def is_demo(params: DatasetParams) -> bool:
    return params.source.startswith("demo:")


def load(
    params: DatasetParams,
    seed: int,
    loaded: Loaded,
    each: OnProgress = lambda done, total, note: None,
    most_rows: int = 0,
) -> Loaded:
    """All rows of all files, or the first `most_rows` of each, in `loaded.store`. Raises StudioError when a file can't be
    read or its reading is not sure; `loaded` then has the reading."""
    store = loaded.store
    if is_demo(params):
        rows = demo.demo_examples(tuple(params.languages), seed)
        for example in rows:
            store.add(example)
        loaded.sha256 = demo.digest(rows)
        store.finish()
        return loaded
    source = open_as(params, params.source)
    total = source.count()
    reading = loaded.reading = read(source, params, most_rows, lambda done: each(done, total, "reading"))
    _check_sure(reading, source)
    _load_file(params, source, reading, "", loaded, each, most_rows)
    for origin, name in (("validation", params.validation_source), ("test", params.test_source)):
        if name:
            other = open_as(params, name)
            mine = reading.model_copy(update={"file": other.path.name})
            _load_file(params, other, mine, origin, loaded, each, most_rows)
    store.finish()
    _free_unused()
    if not most_rows:
        loaded.sha256 = _digest(Path(params.source))
    return loaded


def _check_sure(reading: Reading, source: Source) -> None:
    """Raises StudioError with the question of a reading that is not sure."""
    if reading.question is not None:
        raise StudioError.of([reading.question])
    if reading.taken is None:
        columns = ", ".join(source.columns[:30])
        raise StudioError("data.input_unknown", field="input", file=reading.file, columns=columns)


def open_as(params: DatasetParams, name: str) -> Source:
    """Opens a file as the parameters say it is to be read."""
    told = {field: getattr(params, field) for field in ReadOptions.model_fields if field in DatasetParams.model_fields}
    return open_source(Path(name), ReadOptions(**told))


def stop_at_row_errors(params: DatasetParams, loaded: Loaded) -> None:
    """Raises StudioError where rows can't be used and that is to stop, or none is left."""
    problems = [problem for row_errors in loaded.row_errors for problem in row_errors.problems()]
    if problems and params.on_bad_row == "stop":
        raise StudioError.of(problems)
    if not loaded.store.count:
        raise StudioError.of([*problems, Problem(code="data.no_rows", args={"file": Path(params.source).name})])


def loaded_warnings(loaded: Loaded) -> list[Problem]:
    """What the reading took, what was left out, what was taken along the way."""
    reading = loaded.reading
    said = [*reading.source.notes, *reading.notes] if reading else []
    found = [problem.model_copy(update={"blocking": False}) for problem in said]
    for counted in (*loaded.row_errors, *loaded.notes):
        found += counted.problems(blocking=False)
    if shared_system(loaded.store, reading) and not any(problem.code == "reading.system" for problem in said):
        found.append(Problem(code="data.system_shared", blocking=False))
    return found


def _load_file(
    params: DatasetParams,
    source: Source,
    reading: Reading,
    origin: str,
    loaded: Loaded,
    each: OnProgress,
    most_rows: int,
) -> None:
    mapper = Mapper(reading, params, source.columns)
    row_errors = RowErrors(source.path.name)
    loaded.row_errors.append(row_errors)
    loaded.notes.append(mapper.notes)
    loaded.columns = mapper.template
    total = source.count()
    blocks = limited(row_blocks(source, row_errors), most_rows)
    store, plain = loaded.store, mapper.plain_columns()
    if plain:
        done = 0
        for block in blocks:
            each(done, total, "reading rows")
            done += len(block)
            _add_block(block, plain, mapper, row_errors, origin, store)
    else:
        records = chain.from_iterable(map(records_of, blocks))
        for example in mapper.examples(records, row_errors, origin, lambda done: each(done, total, "reading rows")):
            store.add(example)
    mapper.finish()


def _add_block(
    block: SourceBlock, plain: PlainColumns, mapper: Mapper, row_errors: RowErrors, origin: str, store: RowStore
) -> None:
    """As many rows together as are plain."""
    if rows := plain_rows(block, plain):
        store.add_plain(rows, origin)
        mapper.last = records_of(block.part(len(block) - 1, 1) if isinstance(block, ColumnBlock) else block[-1:])[0]
    elif len(block) > BATCH:
        for part in parts(block):
            _add_block(part, plain, mapper, row_errors, origin, store)
    else:
        for example in mapper.examples(records_of(block), row_errors, origin):
            store.add(example)


def _free_unused() -> None:
    """What pyarrow's allocator keeps of the blocks that were read goes back to the system."""
    import pyarrow

    pyarrow.default_memory_pool().release_unused()


def _digest(path: Path) -> str:
    """SHA-256 of a file; of a folder that of the names and contents of its files."""
    if path.is_file():
        return sha256(path)
    found = hashlib.sha256()
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        found.update(f"{file.relative_to(path).as_posix()} {sha256(file)}\n".encode())
    return found.hexdigest()


def _changed(line: bytes, prefix: bytes, respelled: dict[str, str], split: str) -> bytes:
    """A stored row without the system prompt, with its label's one spelling, its answer as gold in the pool."""
    if prefix:
        line = _without_prefix(line, prefix)
    if split == "pool" or respelled:
        row = orjson.loads(line)
        if row.get("output") in respelled:
            row["output"] = respelled[row["output"]]
        line = orjson.dumps(to_pool(row) if split == "pool" else row) + b"\n"
    return line


def _system_prefix(system: str) -> bytes:
    """How the context of a row begins that has this system prompt."""
    return b'"context":[' + orjson.dumps({"role": "system", "content": system}) if system else b""


def _without_prefix(line: bytes, prefix: bytes) -> bytes:
    """A row without its system prompt, which the template has. Inside a text these letters can't stand: its quotation marks
    are escaped."""
    line = line.replace(prefix + b"],", b"", 1) if prefix + b"]," in line else line
    line = line.replace(b"," + prefix + b"]}", b"}", 1)
    return line.replace(prefix + b",", b'"context":[', 1)
