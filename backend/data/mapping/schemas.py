"""Which module makes the examples of a schema: name -> what it needs of a row. Names are those of a reading's candidates."""

from __future__ import annotations

from collections.abc import Callable

from backend.data.mapping import annotations, chat, own_export, plain, preference
from backend.data.mapping.setup import Make, Setup

SCHEMAS: dict[str, Callable[[Setup], Make]] = {
    "input_output": plain.plain,
    "text_label": plain.plain,
    "alpaca": plain.plain,
    "dolly": plain.with_shared_context,
    "prompt_completion": plain.plain,
    "question_context": plain.with_shared_context,
    "squad": plain.squad,
    "pair_label": plain.pair,
    "multiple_choice": plain.multiple_choice,
    "summarization": plain.plain,
    "translation": plain.plain,
    "multi_label_columns": plain.label_columns,
    "multi_label_list": plain.label_list,
    "preference": preference.preference,
    "kto": preference.kto,
    "sharegpt": chat.conversation,
    "messages": chat.conversation,
    "turns": chat.turn_rows,
    "conversation_label": chat.about_conversation,
    "conversation_summary": chat.about_conversation,
    "label_studio": annotations.label_studio,
    "doccano": annotations.doccano,
    "evals": annotations.evals,
    "own_export": own_export.own_rows,
    "raw_text": plain.unanswered,
}
"""In the order of docs; an unknown one is read as input and answer."""
MULTI_LABEL = ("multi_label_columns", "multi_label_list")
