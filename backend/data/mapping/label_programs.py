"""Exports of tools in which people label texts, and the rows of OpenAI's evals."""

from __future__ import annotations

from typing import Any

from backend.data.examples import Example
from backend.data.mapping.chat import from_turns
from backend.data.mapping.labels import joined, listed
from backend.data.mapping.messages import ChatTurn, turns_of
from backend.data.mapping.setup import Make, Setup, free_answer
from backend.data.mapping.values import Unusable, parsed, value_of
from backend.data.row_errors import Record


def label_studio(setup: Setup) -> Make:
    """Label Studio's JSON: a task with `data` and `annotations`, or the short form with a column per question."""

    def make(record: Record) -> list[Example]:
        values = record.values
        text = setup.asked(values)
        annotations = parsed(values.get("annotations", values.get("completions")))
        if not isinstance(annotations, list):
            return [Example(record.place, text, _short(value_of(values, setup.roles.output), setup))]
        found = [_said(item) for item in annotations if isinstance(item, dict) and not item.get("was_cancelled")]
        given = [answer for answer in found if answer is not None]
        if len(set(given)) > 1:
            setup.notes.add("data.annotators_disagree", record.place)
        return [Example(record.place, text, given[0] if given else None)]

    return make


def doccano(setup: Setup) -> Make:
    """doccano's JSON lines: a text and the list of its labels, or of its answers."""
    column = setup.roles.output

    def make(record: Record) -> list[Example]:
        value = parsed(value_of(record.values, column))
        if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
            raise Unusable("data.spans", column)
        answer = listed(value, column, setup.names.get(column)) if value not in ([], None) else None
        if isinstance(value, list) and len(value) == 1:
            answer = free_answer(value[0], column)
        return [Example(record.place, setup.asked(record.values), answer)]

    return make


def evals(setup: Setup) -> Make:
    """`input` as messages and `ideal` as the answer, or as a list of answers of which the first is learned."""
    asked, ideal = setup.roles.messages or (setup.roles.input or ["input"])[0], setup.roles.output or "ideal"

    def make(record: Record) -> list[Example]:
        value = parsed(value_of(record.values, asked))
        turns = [ChatTurn("user", value)] if isinstance(value, str) else turns_of(value)
        for turn in turns:
            turn.learned = False
        if all(turn.role == "system" for turn in turns):
            turns[-1].role = "user"
        answer = parsed(value_of(record.values, ideal))
        if isinstance(answer, list):
            if len(answer) > 1:
                setup.notes.add("data.answers_several", record.place)
            answer = answer[0] if answer else None
        text = free_answer(answer, ideal)
        turns += [ChatTurn("assistant", text)] if text else []
        return from_turns(setup, record.place, turns, {})

    return make


def _short(value: Any, setup: Setup) -> str | None:
    value = parsed(value)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        raise Unusable("data.spans", setup.roles.output)
    if isinstance(value, dict | list):
        return listed(value, setup.roles.output, None)
    return setup.label(value)


def _said(annotation: dict[str, Any]) -> str | None:
    """What one person answered: the choices, or the text. None where nothing was chosen. Raises Unusable for spans."""
    choices: list[str] = []
    for result in annotation.get("result") or []:
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(value, dict):
            continue
        if isinstance(value.get("choices"), list):
            choices += map(str, value["choices"])
        elif isinstance(value.get("text"), list) and "start" not in value:
            choices.append("\n".join(map(str, value["text"])))
        elif "rating" in value or "number" in value:
            choices.append(str(value.get("rating", value.get("number"))))
        else:
            raise Unusable("data.spans", result.get("type", "labels"))
    return choices[0] if len(choices) == 1 else joined(choices) if choices else None
