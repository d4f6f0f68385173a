"""The prompt template of a dataset, from its parameters, its reading and its answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from backend.core.errors import Problem, StudioError
from backend.data.dataset import Template
from backend.data.language import language_of
from backend.data.mapping.labels import NO_LABEL, label_columns, label_spelling
from backend.data.mapping.schemas import LISTED, MULTI_LABEL
from backend.data.params import DatasetParams
from backend.data.prompt_words import DEFAULT, PROMPT_WORDS, Language, PromptWords
from backend.data.reading.kinds import MAX_LABEL_CHARS
from backend.data.reading.model import Reading
from backend.data.row_store import RowStore

MAX_LABELS = 100
"""Where the answers alone decide, without a schema."""
_SAID_CHARS = 80
_KEYS = re.compile(r'"\w+":|"(?:system|developer|user|assistant|tool|human|gpt)"')
"""The English words around the texts of a conversation."""


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
    language = _language(params, reading)
    words = PROMPT_WORDS[language]
    system = params.system or shared_system(store, reading) or _default_system(params, reading, store, labels, words)
    task = reading.taken.task if reading and reading.taken else ""
    user = "{input}" if columns and columns == params.user else params.user
    kind = "label" if labels else "text"
    template = Template(
        system=system, user=user, answer=kind, labels=labels, columns=columns, task=task, language=language
    )
    return template, spelling


def prompt_notes(params: DatasetParams, template: Template) -> list[Problem]:
    """What is said where the studio's own words are in another language than English because the rows are."""
    own = PROMPT_WORDS[template.language]
    starts = tuple(words.partition("{")[0] for words in (own.label, own.listed, own.several))
    if params.prompt_language != "auto" or template.language == DEFAULT or not template.system.startswith(starts):
        return []
    return [Problem(code="data.prompt_spanish", args={"prompt": template.system[:_SAID_CHARS]}, blocking=False)]


def _language(params: DatasetParams, reading: Reading | None) -> Language:
    """That of the demo, or of the first values of the columns that are read and learned, together."""
    if params.prompt_language != "auto":
        return params.prompt_language
    if reading is None:
        return "es" if params.languages == ["es"] else DEFAULT
    if reading.taken is None:
        return DEFAULT
    roles = reading.taken.roles
    names = {*roles.input, roles.output, roles.messages, roles.history, roles.rejected}
    texts = [text for column in reading.columns if column.name in names for text in column.examples]
    return "es" if language_of(_KEYS.sub(" ", "\n".join(texts))) == "es" else DEFAULT


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


def _default_system(
    params: DatasetParams, reading: Reading | None, store: RowStore, labels: list[str], words: PromptWords
) -> str:
    if reading and reading.taken and reading.taken.schema_name in MULTI_LABEL and not labels:
        single = dict.fromkeys(label for answer in sorted(store.counts()) for label in answer.split(", "))
        names = reading.labels or list(label_columns(reading.taken.roles.outputs).values()) or list(single)
        return reading.system or words.several.format(labels=", ".join(names), none=NO_LABEL)
    if not labels:
        return reading.system if reading else ""
    if params.list_labels:
        return words.listed.format(labels=", ".join(labels))
    return (reading.system if reading else "") or words.label


def is_own_export(reading: Reading | None) -> bool:
    return reading is not None and reading.taken is not None and reading.taken.schema_name == "own_export"
