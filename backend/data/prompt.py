"""The prompt template of a dataset, from its parameters, its reading and its answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from backend.core.errors import StudioError
from backend.data.dataset import Template
from backend.data.mapping.labels import NO_LABEL, label_columns, label_spelling
from backend.data.mapping.schemas import LISTED, MULTI_LABEL
from backend.data.params import DatasetParams
from backend.data.reading.kinds import MAX_LABEL_CHARS
from backend.data.reading.model import Reading
from backend.data.row_store import RowStore

MAX_LABELS = 100
"""Where the answers alone decide, without a schema."""
DEFAULT_LABEL_PROMPT = "Reply with the label."
"""System prompt of label tasks: short, because every row pays for it on a CPU. Without one, chat templates add a longer."""
DEFAULT_MULTI_LABEL_PROMPT = "Reply with every label that applies, with commas between them, or with none: {labels}."


def make_template(
    params: DatasetParams, store: RowStore, reading: Reading | None, columns: str
) -> tuple[Template, dict[str, str]]:
    """(template, answer as it stands in the file -> label; {} for free text). Raises StudioError when labels are asked for and
    there are too many."""
    spelling = label_spelling(store.labels)
    counts: Counter[str] = Counter()
    for raw, rows in store.counts().items():
        counts[spelling[raw]] += rows
    if _answer(params, reading, counts, store) != "label" or not store.answered:
        spelling = {}
    labels = sorted(counts) if spelling else []
    system = params.system or shared_system(store, reading) or _default_system(params, reading, store, labels)
    task = reading.taken.task if reading and reading.taken else ""
    user = "{input}" if columns and columns == params.user else params.user
    kind = "label" if labels else "text"
    return Template(system=system, user=user, answer=kind, labels=labels, columns=columns, task=task), spelling


def answer_kind(counts: Mapping[str, int]) -> str:
    """`label` when at most 100 short answers repeat three times each on average, else `text`. `counts`: answer -> rows."""
    if not 2 <= len(counts) <= MAX_LABELS or max(map(len, counts)) > MAX_LABEL_CHARS:
        return "text"
    return "label" if len(counts) * 3 <= sum(counts.values()) and not any("\n" in label for label in counts) else "text"


def shared_system(store: RowStore, reading: Reading | None) -> str:
    """The system prompt that all rows begin with; "" where they differ, and for rows that come back as they were."""
    shared = store.systems == store.count and not is_own_export(reading)
    return store.system if shared else ""


def _answer(params: DatasetParams, reading: Reading | None, counts: Counter[str], store: RowStore) -> str:
    if params.answer == "label":
        if len(counts) * 2 > store.answered or (store.answered and not counts):
            args = {"rows": store.answered, "classes": len(counts) or len(store.labels)}
            raise StudioError("data.more_classes_than_rows", field="answer", **args)
        return "label"
    if params.answer == "text" or not counts:
        return "text"
    schema = reading.taken.schema_name if reading and reading.taken else ""
    if schema in LISTED + MULTI_LABEL:
        several = schema == "one_hot" or any(", " in answer or answer == NO_LABEL for answer in counts)
        return "text" if several else answer_kind(counts)
    if reading and reading.taken and reading.taken.task:
        return reading.answer
    return answer_kind(counts)


def _default_system(params: DatasetParams, reading: Reading | None, store: RowStore, labels: list[str]) -> str:
    if reading and reading.taken and reading.taken.schema_name in MULTI_LABEL and not labels:
        single = dict.fromkeys(label for answer in sorted(store.counts()) for label in answer.split(", "))
        names = reading.labels or list(label_columns(reading.taken.roles.outputs).values()) or list(single)
        return reading.system or DEFAULT_MULTI_LABEL_PROMPT.format(labels=", ".join(names))
    if not labels:
        return reading.system if reading else ""
    if params.list_labels:
        return f"Reply with one of: {', '.join(labels)}."
    return (reading.system if reading else "") or DEFAULT_LABEL_PROMPT


def is_own_export(reading: Reading | None) -> bool:
    return reading is not None and reading.taken is not None and reading.taken.schema_name == "own_export"
