"""From the parameters of the dataset stage to finished splits: read, decide the kind of answer, divide, warn.

`prepare` does it all, in memory; `estimate` looks at the first rows only and says what will come of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.core.artifacts import sha256
from backend.core.errors import Problem, StudioError
from backend.data import demo
from backend.data.dataset import Row, Template
from backend.data.examples import Example, answer_kind, examples, label_list
from backend.data.reader import Source, open_source
from backend.data.reading.model import Roles
from backend.data.reading.read import check_roles, roles_of
from backend.data.row_errors import RowErrors
from backend.data.split import Splits, sample, shuffled, split

if TYPE_CHECKING:
    from backend.data.params import DatasetParams

MIN_ROWS = 10
DEFAULT_LABEL_PROMPT = "Reply with the label."
"""System prompt of label tasks: short, because every row pays for it on a CPU. Without one, chat templates add a longer."""
_ESTIMATE_ROWS = 5000

OnProgress = Callable[[int, int], None]
"""Called with (rows read, rows expected)."""


@dataclass
class PreparedDataset:
    """What goes into the artifact. Pool examples keep their answer; it is written as `gold`."""

    splits: Splits
    template: Template
    sha256: str
    warnings: list[Problem] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)


@dataclass
class _Loaded:
    rows: list[Example]
    sha256: str
    row_errors: list[RowErrors] = field(default_factory=list)


def prepare(params: DatasetParams, seed: int, each: OnProgress = lambda done, total: None) -> PreparedDataset:
    """Read everything and divide it. Raises StudioError with all that is wrong."""
    loaded = _load(params, seed, each)
    each(1, 1)
    dropped: Counter[str] = Counter(sum((Counter(row_errors.counts) for row_errors in loaded.row_errors), Counter()))
    warnings = [problem for row_errors in loaded.row_errors for problem in row_errors.problems(blocking=False)]
    rows = _without_duplicates(loaded.rows, dropped) if params.duplicates == "drop" else loaded.rows
    template = make_template(params, [row.output for row in rows if row.output is not None])
    warnings += find_warnings(rows, template)
    each(1, 1)
    splits = _divide(params, rows, template, seed, dropped)
    warnings += _class_warnings(splits, template)
    return PreparedDataset(splits, template, loaded.sha256, warnings, dict(dropped))


def is_demo(params: DatasetParams) -> bool:
    return params.source.startswith("demo:")


def make_template(params: DatasetParams, outputs: list[str]) -> Template:
    """Decides label or text. Raises StudioError when labels are asked for and there are too many."""
    kind = answer_kind(outputs) if params.answer == "auto" else params.answer
    labels = label_list(outputs) if kind == "label" and outputs else []
    system = params.system
    if labels and not system:
        system = f"Reply with one of: {', '.join(labels)}." if params.list_labels else DEFAULT_LABEL_PROMPT
    return Template(system=system, user=params.user, answer="label" if labels else "text", labels=labels)


def to_row(example: Example, pool: bool = False) -> Row:
    """`pool` hides the answer behind `gold`."""
    return Row(
        id=f"{example.origin[:1] or 'r'}{example.place}",
        input=example.input,
        output=None if pool else example.output,
        gold=example.output if pool else None,
        context=example.context,
    )


def find_warnings(rows: list[Example], template: Template) -> list[Problem]:
    """Things that no rule forbids and that usually mean trouble."""
    warnings = []
    labelled = [row for row in rows if row.output is not None]
    if not labelled:
        warnings.append(Problem(code="data.no_answers", args={"rows": len(rows)}, blocking=False))
    distinct = len({(row.key, row.output) for row in labelled})
    if distinct * 2 < len(labelled):
        warnings.append(
            Problem(code="data.few_distinct", args={"rows": len(labelled), "distinct": distinct}, blocking=False)
        )
    answers: dict[str, set[str]] = defaultdict(set)
    places: dict[str, int] = {}
    for row in labelled:
        answers[row.key].add(row.output or "")
        places.setdefault(row.key, row.place)
    several = [key for key, found in answers.items() if len(found) > 1]
    if several:
        code = "data.contradictions" if template.answer == "label" else "data.several_answers"
        args = {
            "count": len(several),
            "place": places[several[0]],
            "answers": " / ".join(sorted(answers[several[0]])[:3])[:120],
        }
        warnings.append(Problem(code=code, args=args, blocking=False))
    return warnings


def first_examples(params: DatasetParams, count: int, seed: int = 0) -> tuple[list[Example], int]:
    """(the first usable rows, rows in the whole source). Bad rows are passed over here; `prepare` names them."""
    if is_demo(params):
        rows = demo.demo_examples(tuple(params.languages), seed)
        return shuffled(rows, seed)[:count], len(rows)
    source = open_source(Path(params.source))
    roles = roles_of(source, params, _ESTIMATE_ROWS)
    found = list(islice(examples(source.records(RowErrors(source.path.name)), roles, RowErrors("")), count))
    if len(found) < count:
        return found, len(found)
    return found, round(source.count() * len(found) / found[-1].place)


def estimate(params: DatasetParams) -> dict[str, Any]:
    """Facts that the dataset will have (the shape of `data_facts`), from the first 5,000 rows. Raises StudioError when the
    source can't be opened, or a column is missing."""
    rows, total = first_examples(params, 1_000_000 if is_demo(params) else _ESTIMATE_ROWS)
    outputs = [row.output for row in rows if row.output is not None]
    template = make_template(params, outputs)
    answered = len(outputs) / max(1, len(rows))
    _check_sizes(params, round(total * answered), template)
    total = min(params.max_rows or total, total)
    labelled = round(total * answered)
    counts = {}
    for name, share, file in (
        ("validation", params.validation, params.validation_source),
        ("test", params.test, params.test_source),
    ):
        counts[name] = open_source(Path(file)).count() if file else round(labelled * share)
    own = sum(counts[name] for name in counts if not getattr(params, f"{name}_source"))
    train = min(params.labelled_rows or labelled - own, labelled - own)
    pool = total - own - train
    prompts = [sum(len(message["content"]) for message in template.prompt(to_row(row))) for row in rows]
    return {
        "rows": {"train": train, **counts, "pool": min(params.pool_rows or pool, pool)},
        "answer": template.answer,
        "labels": template.labels,
        "prompt_chars": round(sum(prompts) / max(1, len(prompts)), 1),
        "answer_chars": round(sum(map(len, outputs)) / max(1, len(outputs)), 1),
    }


def _load(params: DatasetParams, seed: int, each: OnProgress) -> _Loaded:
    if is_demo(params):
        rows = demo.demo_examples(tuple(params.languages), seed)
        return _Loaded(rows, demo.digest(rows))
    loaded = _Loaded([], "")
    roles: Roles | None = None
    for origin, name in (("", params.source), ("validation", params.validation_source), ("test", params.test_source)):
        if name:
            source = open_source(Path(name))
            roles = roles or roles_of(source, params)
            check_roles(source, roles)
            loaded.rows += _read(source, roles, origin, loaded, each)
    loaded.sha256 = sha256(Path(params.source))
    if params.on_bad_row == "stop":
        problems = [problem for row_errors in loaded.row_errors for problem in row_errors.problems()]
        if problems:
            raise StudioError.of(problems)
    if not loaded.rows:
        problems = [problem for row_errors in loaded.row_errors for problem in row_errors.problems()]
        raise StudioError.of([*problems, Problem(code="data.no_rows", args={"file": Path(params.source).name})])
    return loaded


def _read(source: Source, roles: Roles, origin: str, loaded: _Loaded, each: OnProgress) -> list[Example]:
    row_errors = RowErrors(source.path.name)
    loaded.row_errors.append(row_errors)
    total = source.count()
    return list(examples(source.records(row_errors), roles, row_errors, origin, lambda done: each(done, total)))


def _divide(params: DatasetParams, rows: list[Example], template: Template, seed: int, dropped: Counter[str]) -> Splits:
    labels = template.answer == "label"
    own, given = _given_splits(rows, dropped)
    _check_sizes(params, sum(row.output is not None for row in own), template)
    own, _ = sample(own, params.max_rows, labels, seed)
    labelled = [row for row in own if row.output is not None]
    pool = [row for row in own if row.output is None]
    shares = {name: 0.0 if name in given else getattr(params, name) for name in ("validation", "test")}
    splits = split(labelled, shares["validation"], shares["test"], labels, seed) | given
    empty = [name for name, share in shares.items() if share and labelled and not splits[name]]
    if empty:
        raise StudioError("data.split_empty", field=empty[0], split=empty[0], rows=len(labelled))
    splits["train"], hidden = sample(splits["train"], params.labelled_rows, labels, seed)
    splits["pool"], left = sample(hidden + pool, params.pool_rows, labels, seed)
    if left:
        dropped["pool_cap"] = len(left)
    return {name: shuffled(part, seed) for name, part in splits.items()}


def _given_splits(rows: list[Example], dropped: Counter[str]) -> tuple[list[Example], Splits]:
    """The user's own validation and test files win: the same input is taken out of what is used before them."""
    given: Splits = {}
    seen: set[str] = set()
    for name in ("test", "validation", ""):
        mine = [row for row in rows if row.origin == name]
        clean = [row for row in mine if row.key not in seen]
        if len(clean) < len(mine):
            dropped["also_in_test"] += len(mine) - len(clean)
        seen |= {row.key for row in clean}
        if name and mine:
            given[name] = [row for row in clean if row.output is not None]
            if len(given[name]) < len(clean):
                dropped["no_answer"] += len(clean) - len(given[name])
            if not given[name]:
                raise StudioError("data.given_split_empty", field=f"{name}_source", split=name)
        if not name:
            rows = clean
    return rows, given


def _check_sizes(params: DatasetParams, labelled: int, template: Template) -> None:
    """Raises StudioError when the answered rows can't fill the splits that are asked for."""
    for name in ("max_rows", "labelled_rows"):
        rows = getattr(params, name)
        if rows and rows < len(template.labels):
            raise StudioError("data.fewer_rows_than_classes", field=name, rows=rows, classes=len(template.labels))
    divided = [
        name for name in ("validation", "test") if getattr(params, name) and not getattr(params, f"{name}_source")
    ]
    labelled = min(labelled, params.max_rows or labelled)
    if divided and 0 < labelled < MIN_ROWS:
        raise StudioError("data.too_few_rows", rows=labelled, least=MIN_ROWS)


def _without_duplicates(rows: list[Example], dropped: Counter[str]) -> list[Example]:
    found = {(row.origin, row.key, row.output): row for row in reversed(rows)}
    kept = list(reversed(found.values()))
    if len(kept) < len(rows):
        dropped["duplicate"] = len(rows) - len(kept)
    return kept


def _class_warnings(splits: Splits, template: Template) -> list[Problem]:
    if template.answer != "label":
        return []
    counts = {name: Counter(row.output for row in rows) for name, rows in splits.items()}
    rows = sum(counts.values(), Counter[str | None]())
    warnings = []
    single = [label for label in template.labels if rows[label] == 1]
    if single:
        warnings.append(_about_classes("data.class_single", single))
    for name, code in (("train", "data.class_not_in_train"), ("test", "data.class_not_in_test")):
        absent = [label for label in template.labels if not counts[name][label]]
        if absent and counts[name]:
            warnings.append(_about_classes(code, absent))
    return warnings


def _about_classes(code: str, labels: list[str]) -> Problem:
    names = ", ".join(labels[:5]) + (", …" if len(labels) > 5 else "")
    return Problem(code=code, args={"count": len(labels), "names": names}, blocking=False)
