"""The schemas that files of examples have: the only list of them.

How a schema's roles are meant: `input` columns go into the prompt by the candidate's template; `messages` is a list of messages
that comes before the answer (`output`: text, label or a list of messages), or holds it as its assistant turns where `output` is
empty. `rejected` is a text or a list of messages, like `output`. `outputs` are columns of 0 and 1. In `turns` the rows of one
`group` are one conversation; in `own_export` `history` holds the earlier messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from backend.core.messages.reading_words import SCHEMAS as TITLES
from backend.data.reading import chats, choices, multi, plain, several
from backend.data.reading.model import Candidate
from backend.data.reading.table import Table


class Schema(NamedTuple):
    """`find` yields the candidates that a table has of this schema, and maybe of its relatives; `needs`: what it is recognised
    by, as the page and the command line say it."""

    name: str
    task: str
    needs: str
    find: Callable[[Table], Iterator[Candidate]]

    @property
    def title(self) -> str:
        return TITLES[self.name]


SCHEMAS = (
    Schema("text_label", "classification", "a text and a label", plain.text_label),
    Schema("ticket_label", "classification", "a subject, a body and a label", plain.ticket_label),
    Schema("input_output", "answer", "a question and an answer", plain.input_output),
    Schema("texts", "text", "a text", plain.texts),
    Schema("raw_text", "text", "a text file", plain.texts),
    Schema("alpaca", "instruction", "instruction, input and output", several.alpaca),
    Schema("prompt_completion", "answer", "prompt and completion", several.instructions),
    Schema("dolly", "instruction", "instruction, context and response", several.dolly),
    Schema(
        "question_context",
        "question_context",
        "context, question and answer",
        several.question_context,
    ),
    Schema("squad", "question_context", "context, question and nested answers", several.question_context),
    Schema("text_pair", "text_pair", "two texts and a label", several.text_pairs),
    Schema(
        "multiple_choice",
        "multiple_choice",
        "question, choices and the right one",
        choices.multiple_choice,
    ),
    Schema("summary", "summary", "a text and its summary", several.summary),
    Schema("translation", "translation", "a text in two languages", several.translation),
    Schema("one_hot", "multi_label", "a text and columns of 0 and 1", multi.one_hot),
    Schema("listed_labels", "multi_label", "a text and a list of labels", multi.lists),
    Schema("preference", "preference", "prompt, chosen and rejected", several.preference),
    Schema("kto", "preference", "prompt, completion and a true or false label", several.preference),
    Schema("chat", "conversation", "a list of messages with role and content", chats.conversation),
    Schema("sharegpt", "conversation", "a list of messages with from and value", chats.conversation),
    Schema("turns", "conversation", "conversation, role and content", chats.turns),
    Schema(
        "conversation_label",
        "classification",
        "messages and a label",
        chats.conversation_label,
    ),
    Schema(
        "conversation_summary",
        "summary",
        "messages and a summary",
        chats.conversation_summary,
    ),
    Schema("openai_evals", "conversation", "input messages and ideal", chats.messages_and_answer),
    Schema("label_studio", "classification", "data and annotations", multi.label_studio),
    Schema("doccano", "multi_label", "text and a list of labels", multi.lists),
    Schema("own_export", "", "split, id, input and output", chats.own_export),
)
"""A row per schema. `prompt_completion` also stands for lists of messages in both columns; OpenAI's and Azure's fine-tuning
files are `chat`, `prompt_completion` and `preference`."""


def by_name(name: str) -> Schema | None:
    return next((row for row in SCHEMAS if row.name == name), None)


def candidates(table: Table) -> list[Candidate]:
    """Every way to read the table, the best first, one for each set of roles."""
    exported = list(chats.own_export(table))
    if exported:
        return exported
    finders = dict.fromkeys([row.find for row in SCHEMAS])
    best: dict[str, Candidate] = {}
    for find in finders:
        for one in find(table):
            same = one.roles.model_copy(
                update={"carried": [], "label_names": "", "system": "", "tools": "", "history": ""}
            )
            known = same.model_dump_json()
            if known not in best or _better(one, best[known]):
                best[known] = one
    order = {row.name: place for place, row in enumerate(SCHEMAS)}
    return sorted(best.values(), key=lambda one: (-one.confidence, order[one.schema_name]))


def _better(one: Candidate, other: Candidate) -> bool:
    """The surer one; of equals the one with more parts or the more specific schema."""
    return (one.confidence, len(one.roles.model_dump(exclude_defaults=True)), one.schema_name not in _GENERAL) > (
        other.confidence,
        len(other.roles.model_dump(exclude_defaults=True)),
        other.schema_name not in _GENERAL,
    )


_GENERAL = ("text_label", "input_output", "texts")
