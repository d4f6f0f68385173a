"""Which module makes the examples of a schema. Names are those of backend.data.reading.schemas."""

from __future__ import annotations

from collections.abc import Callable

from backend.data.mapping import chat, choices, own_export, plain, preference
from backend.data.mapping import label_programs as programs
from backend.data.mapping.setup import Make, Setup

SCHEMAS: dict[str, Callable[[Setup], Make]] = {
    "text_label": plain.plain,
    "ticket_label": plain.plain,
    "input_output": plain.first_of_answers,
    "texts": plain.unanswered,
    "raw_text": plain.unanswered,
    "alpaca": plain.plain,
    "prompt_completion": chat.prompt_and_completion,
    "dolly": plain.with_shared_context,
    "question_context": plain.squad,
    "squad": plain.squad,
    "text_pair": plain.pair,
    "multiple_choice": choices.multiple_choice,
    "summary": plain.plain,
    "translation": plain.plain,
    "one_hot": plain.label_columns,
    "listed_labels": plain.label_list,
    "preference": preference.preference,
    "kto": preference.kto,
    "chat": chat.conversation,
    "sharegpt": chat.conversation,
    "turns": chat.turn_rows,
    "conversation_label": chat.about_conversation,
    "conversation_summary": chat.about_conversation,
    "openai_evals": programs.evals,
    "label_studio": programs.label_studio,
    "doccano": programs.doccano,
    "own_export": own_export.own_rows,
}
LISTED = ("listed_labels", "doccano", "label_studio")
"""Their answers are in lists, which may hold one label each."""
MULTI_LABEL = ("one_hot", "listed_labels")
"""Their answers are several labels as one text."""
