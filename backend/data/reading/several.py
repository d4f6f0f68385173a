"""Schemas of several texts: instructions, context and question, pairs, summaries, translations, preferences."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backend.data.reading import names
from backend.data.reading.model import Candidate, Roles
from backend.data.reading.table import Table

_PAIRS = (
    ("premise", "hypothesis"),
    ("premisa", "hipotesis"),
    ("claim", "evidence"),
    ("afirmacion", "evidencia"),
    ("query", "document"),
    ("query", "passage"),
    ("question", "sentence"),
    ("pregunta", "frase"),
    ("original", "paraphrase"),
    ("word", "context"),
)
_STEM = re.compile(r"(.*?)[ _.\-]?([12ab])$", re.IGNORECASE)
_ANSWERED = (*names.ANSWER, "assistant", "summary")


def alpaca(table: Table) -> Iterator[Candidate]:
    """instruction, input, output; with system and history where they are there."""
    instruction = table.one(("instruction", "instruccion", "anweisung", "prompt", "task"), table.texts)
    further = table.one(("input", "entrada", "eingabe"), [name for name in table.columns if name != instruction])
    output = table.one(names.ANSWER, table.answers())
    if not instruction or not output or not further or output == further:
        return
    empty = table.kind(further) == "empty"
    if not empty and table.kind(further) not in ("text", "label", "number", "constant"):
        return
    inputs = [instruction] if empty else [instruction, further]
    yield table.candidate("alpaca", "instruction", _with_extras(table, Roles(input=inputs, output=output)), [1.0])


def instructions(table: Table) -> Iterator[Candidate]:
    """instruction and output without a second text; prompt and completion."""
    for asked, schema in (("instruction", "alpaca"), ("instruccion", "alpaca"), ("prompt", "prompt_completion")):
        prompt = table.one((asked,), table.texts)
        output = table.one(names.ANSWER, [name for name in table.answers() if name != prompt])
        if prompt and output:
            task = "instruction" if schema == "alpaca" else "answer"
            roles = _with_extras(table, Roles(input=[prompt], output=output))
            yield table.candidate(schema, task, roles, [1.0])


def dolly(table: Table) -> Iterator[Candidate]:
    """instruction, context, response."""
    instruction = table.one(names.PROMPT, table.texts)
    context = table.one(names.CONTEXT, table.texts)
    output = table.one(names.ANSWER, [name for name in table.answers() if name != context])
    if instruction and context and output and instruction != context:
        roles = _with_extras(table, Roles(input=[instruction, context], output=output))
        yield table.candidate("dolly", "instruction", roles, [1.0])


def question_context(table: Table) -> Iterator[Candidate]:
    """question, answer, context; SQuAD, whose answers are nested."""
    inside = _asked_inside(table)
    if inside:
        yield table.candidate("squad", "question_context", Roles(input=inside), [1.0])
        return
    question = table.one(names.QUESTION, table.texts)
    context = table.one(
        names.CONTEXT + ("document", "text", "texto"), [name for name in table.texts if name != question]
    ) or table.one(names.CONTEXT, _nested(table))
    if not question or not context:
        return
    nested = [
        name for name, found in table.columns.items() if found.keys["text"] and "answerstart" in _keys(table, name)
    ]
    if nested:
        yield table.candidate("squad", "question_context", Roles(input=[context, question], output=nested[0]), [1.0])
        return
    known = names.ANSWER if names.strength(context, names.CONTEXT) == 1 else ("answer", "answers", "respuesta")
    lists = [name for name, found in table.columns.items() if found.forms["strings"] and not found.json_text]
    answers = [name for name in [*table.answers(), *lists] if name not in (question, context)]
    label = table.one(("label", "etiqueta"), [name for name in answers if name in table.labels])
    output = table.one(known, answers) or label or table.one(known, [n for n in answers if n in table.texts], 0.85)
    if output:
        roles = Roles(input=[context, question], output=output)
        yield table.candidate("question_context", "question_context", roles, [1.0 if output != label else 0.95])


def _asked_inside(table: Table) -> list[str]:
    """The columns of a file whose questions are inside: paragraphs (context, qas), or a context and its qas."""
    keyed = {names.key(name): name for name in table.columns}
    paragraphs, qas = keyed.get("paragraphs", ""), keyed.get("qas", "")
    if paragraphs and {"context", "qas"} <= _keys(table, paragraphs):
        return [paragraphs]
    return [keyed["context"], qas] if qas and "context" in keyed and "question" in _keys(table, qas) else []


def _nested(table: Table) -> list[str]:
    """Lists and objects with texts inside."""
    return [name for name, found in table.columns.items() if found.kind in ("list", "object")]


def text_pairs(table: Table) -> Iterator[Candidate]:
    """Two texts that are compared, and a label or a score."""
    pair = _pair(table)
    if not pair:
        return
    outputs = [name for name in table.labels if name not in pair and not names.aside(name)]
    scores = [name for name in table.answers(False) if table.kind(name) == "number" and name not in pair]
    named = [name for _, name in table.named(names.LABEL_FIRST + names.LABEL, 0.85, outputs + scores)]
    found = named or (outputs if len(outputs) == 1 else [])
    minor = names.SORTING + names.MINOR
    main = [name for name in found if names.strength(name, minor) < 1]
    for output in dict.fromkeys(main or found):
        first = names.strength(output, names.LABEL_FIRST) == 1
        template = "\n".join(f"{name}: {{{name}}}" for name in pair)
        words = [name for name in table.labels if name != output and names.words(name)[0] == names.words(output)[0]]
        same = [
            w for w in words if table.columns[w].distinct == table.columns[output].distinct and len(names.words(w)) > 1
        ]
        roles = Roles(input=pair, output=output, label_names=same[0] if same else "")
        yield table.candidate("text_pair", "text_pair", roles, [1.0, 1.0 if first else 0.95], template)


def _pair(table: Table) -> list[str]:
    keyed = {names.key(name): name for name in table.texts}
    for first, second in _PAIRS:
        if first in keyed and second in keyed:
            return [keyed[first], keyed[second]]
    stems: dict[str, list[str]] = {}
    for name in table.texts:
        found = None if table.unnamed(name) else _STEM.match(name.strip())
        if found and len(found[1]) > 0:
            stems.setdefault(found[1].casefold(), []).append(name)
    pairs = [found for found in stems.values() if len(found) == 2]
    return pairs[0] if len(pairs) == 1 else []


def summary(table: Table) -> Iterator[Candidate]:
    """A long text and its summary, which is shorter."""
    output = table.one(names.SUMMARY, table.texts)
    article = table.one(names.ARTICLE, [name for name in table.texts if name != output])
    if output and article and table.columns[output].mean_chars < table.columns[article].mean_chars:
        fit = 0.9 if "review" in names.words(article) else 1.0  # whose rating may be meant
        yield table.candidate("summary", "summary", Roles(input=[article], output=output), [fit])


def translation(table: Table) -> Iterator[Candidate]:
    """Two columns called like languages, or an object with two: from the first to the second."""
    tongues: dict[str, str] = {}
    for name in table.texts:
        found = names.words(names.last_part(name))
        tongue = names.LANGUAGES.get(names.key(names.last_part(name))) or (
            names.LANGUAGES.get(found[-1]) if found else None
        )
        if tongue and not names.aside(name):
            tongues.setdefault(tongue, name)
    for name, column in table.columns.items():
        keys = [key for key in column.keys if names.key(key) in names.LANGUAGES]
        if column.kind == "object" and len(keys) == 2 == len(column.keys) and not tongues:
            tongues = {names.LANGUAGES[names.key(key)]: f"{name}.{key}" for key in keys}
    if len(tongues) != 2:
        return
    (_, first), (_, second) = tongues.items()
    if names.strength(first, ("target",)):
        first, second = second, first
    yield table.candidate("translation", "translation", Roles(input=[first], output=second), [1.0])


def preference(table: Table) -> Iterator[Candidate]:
    """A better and a worse answer to a prompt; KTO's answers that are marked as good or not."""
    answers = [*table.answers(), *table.chats]
    chosen, rejected = table.one(names.CHOSEN, answers), table.one(names.REJECTED, answers)
    if chosen and rejected:
        yield from _preferred(table, chosen, rejected)
    prompt = table.one(names.PROMPT + names.QUESTION, [*table.texts, *table.chats])
    answer = table.one(("completion", "response", "answer", "respuesta"), [*table.texts, *table.chats])
    desired = table.one(
        ("label", "desirable", "thumbsup", "liked"), [n for n in table.labels if table.columns[n].distinct == 2]
    )
    boolean = desired and (table.kind(desired) == "boolean" or names.strength(desired, ("label",)) < 1)
    if boolean and prompt and answer and prompt != answer and names.strength(prompt, ("prompt",)):
        chat = prompt in table.chats
        roles = Roles(input=[] if chat else [prompt], messages=prompt if chat else "", output=answer, desired=desired)
        yield table.candidate("kto", "preference", roles, [1.0])


def _preferred(table: Table, chosen: str, rejected: str) -> Iterator[Candidate]:
    prompt = table.one((*names.PROMPT, *names.QUESTION, "input", "messages"), [*table.texts, *table.chats], 0.85)
    roles = Roles(output=chosen, rejected=rejected, system=table.system())
    holds = [name for name, found in table.columns.items() if found.kind == "object" and found.keys["messages"]]
    fit = 1.0
    if holds and f"{holds[0]}.messages" not in table.chats:
        roles = roles.model_copy(update={"messages": f"{holds[0]}.messages"})
    elif prompt and prompt in table.chats:
        roles = roles.model_copy(update={"messages": prompt})
    elif prompt:
        roles = roles.model_copy(update={"input": [prompt]})
    elif chosen in table.chats:
        roles = roles.model_copy(update={"messages": chosen, "output": ""})
    elif not any(text.startswith(("Human:", "Assistant:")) for text in table.columns[chosen].examples):
        fit = 0.5  # answers to what?
    yield table.candidate("preference", "preference", roles, [fit])


def _with_extras(table: Table, roles: Roles) -> Roles:
    """The same with a system text and a history, where there are columns of these names."""
    nested = [name for name, found in table.columns.items() if found.kind in ("list", "messages")]
    history = table.one(names.HISTORY, nested)
    return roles.model_copy(update={"system": table.system(), "history": history})


def _keys(table: Table, name: str) -> set[str]:
    return {names.key(key) for key in table.columns[name].keys}
