"""The words that the studio itself puts into prompts, in the language of the rows: the only place where they are declared.

They are part of a dataset's template, not of the user's language: a model is asked as it was trained. A template that was made
before a language had its words keeps those it has.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["en", "es"]
DEFAULT: Language = "en"


class PromptWords(NamedTuple):
    """`label`: the system prompt of label tasks: short, because every row pays for it on a CPU (without one, chat templates
    add a longer); `listed`: the same with all {labels}; `several`: where several may apply; `rationale`: the instruction for
    rationales in training, never sent when an answer is asked for; `rationale_request`: what is added to a prompt when a
    teacher is asked for its steps, with the {marker} before the answer."""

    label: str
    listed: str
    several: str
    rationale: str
    rationale_request: str


PROMPT_WORDS: dict[Language, PromptWords] = {
    "en": PromptWords(
        label="Reply with the label.",
        listed="Reply with one of: {labels}.",
        several="Reply with every label that applies, with commas between them, or with {none}: {labels}.",
        rationale="Write only the steps that lead to the answer.",
        rationale_request="Think step by step. Then write the answer alone on a last line that begins with {marker}",
    ),
    "es": PromptWords(
        label="Responde con la etiqueta.",
        listed="Responde con una de estas etiquetas: {labels}.",
        several="Responde con todas las etiquetas que correspondan, separadas por comas, o con {none}: {labels}.",
        rationale="Escribe solo los pasos que llevan a la respuesta.",
        rationale_request="Razona paso a paso. Después escribe solo la respuesta en una última línea que empiece por {marker}",
    ),
}
