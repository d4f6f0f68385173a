"""Schemas whose input is one or two texts and whose answer is a label or a text."""

from __future__ import annotations

from collections.abc import Iterator

from backend.data.reading import names
from backend.data.reading.model import Candidate, Roles
from backend.data.reading.table import Table, template_of

_SOLE, _ONE_OF_SEVERAL = 0.8, 0.6
_FOLLOWS_QUESTION, _ANY_TEXT = 0.7, 0.4
_TEXTS, _TIED = 0.7, 0.9
_MOST_OPTIONS, _MOST_TOGETHER = 4, 8
_MOST_UNNAMED = 12
"""Columns without usual names are not tried one by one where there are more of them."""
_COUNTS = (
    *(
        "words",
        "tokens",
        "chars",
        "characters",
        "length",
        "count",
        "total",
        "size",
        "position",
        "offset",
        "page",
        "line",
    ),
    *("lines", "palabras", "longitud", "tamano", "seconds", "duration", "duracion", "year", "ano", "jahr"),
)
"""Words of names of numbers that describe a text."""
_ASKED = names.QUESTION + names.PROMPT + names.USER


def text_label(table: Table) -> Iterator[Candidate]:
    """A text (or title and body) and one label."""
    for strength, label in _label_columns(table):
        names_of = _label_names(table, label)
        yield from _with_inputs(table, "text_label", "classification", strength, label, names_of)


def ticket_label(table: Table) -> Iterator[Candidate]:
    """Subject and body of a ticket, mail or article, and one label: both are read."""
    pair = _title_and_body(table, table.texts)
    for strength, label in _label_columns(table) if pair else ():
        if label not in pair:
            roles = Roles(input=pair, output=label, label_names=_label_names(table, label))
            yield table.candidate("ticket_label", "classification", roles, [1.0, strength])


def input_output(table: Table) -> Iterator[Candidate]:
    """A text and the text that answers it, by the usual pairs of names, else by what is left."""
    wide = len(table.texts) > _MOST_UNNAMED
    for output in table.answers():
        strength = 1.0 if _is_a(table, output) else names.strength(output, names.ANSWER + names.ASSISTANT)
        if (table.kind(output) in ("constant", "id", "date") and strength < 1) or names.aside(output):
            continue
        if table.kind(output) in ("label", "boolean", "number") and strength < 1:
            continue
        if strength == 1 and (asked := _asked(table, output)):
            roles = Roles(input=[asked], output=output)
            schema, task = ("text_label", "classification") if table.is_label(output) else ("input_output", "answer")
            yield table.candidate(schema, task, roles, [1.0, 1.0])
        elif table.kind(output) == "text" and (strength or _is_answer(output) or not wide):
            strength = max(strength, float(_is_answer(output)))
            yield from _with_inputs(table, "input_output", "answer", strength * 0.95, output, "")


def texts(table: Table) -> Iterator[Candidate]:
    """Texts without an answer: for a teacher to answer, or to read as they are. Less sure beside a column that may be one."""
    unfit = [name for name in table.columns if _may_answer(table, name)]
    schema = "raw_text" if table.facts.format in ("text", "txt", "markdown", "md") else "texts"
    for inputs, strength, tied in inputs_with(table, ""):
        base = 1.0 if schema == "raw_text" else _TEXTS if strength >= _SOLE else _ONE_OF_SEVERAL
        less = 0.15 * bool(unfit) + 0.05 * tied
        yield table.candidate(schema, "text", Roles(input=inputs), [base], less=less)


def _is_answer(name: str) -> bool:
    return names.strength(name, names.LABEL_FIRST + names.ANSWER + ("category", "intent", "sentiment")) == 1


def _may_answer(table: Table, name: str) -> bool:
    """Codes, lists and dates that are called like an answer; numbers whose name does not say what they count."""
    kind = table.kind(name)
    if kind == "number":
        return not names.aside(name) and names.strength(name, _COUNTS) == 0
    called = _is_answer(name) or names.strength(name, names.LABEL) == 1
    return kind in ("id", "row_number", "list", "object", "date", "messages") and called


def _label_columns(table: Table) -> list[tuple[float, str]]:
    """(strength, column) of everything that a classifier could learn. Metadata only where nothing else is a label."""
    found = []
    constants = [name for name in table.answers() if table.kind(name) == "constant"]
    labels = [
        name
        for name in table.labels
        if not table.answer_object(name) and not _names_a_label(table, name) and not table.says_who(name)
    ]
    plain = [name for name in labels if not names.aside(name)]
    if not plain and len(labels) == 1:
        speaks = names.strength(labels[0], names.SPEAKER) == 1
        found.append((_ANY_TEXT if speaks else _ONE_OF_SEVERAL, labels[0]))
    wide = len(plain) > _MOST_UNNAMED
    for name in plain:
        first, usual = names.strength(name, names.LABEL_FIRST), names.strength(name, names.LABEL)
        is_it = names.words(name)[:1] in (("is",), ("has",), ("es",), ("ist",), ("est",))
        unnamed = _SOLE if len(plain) == 1 else _ONE_OF_SEVERAL
        if wide and not (first or usual or is_it):
            continue
        if len(plain) > 1 and names.strength(name, names.MINOR) == 1:
            first, usual, unnamed = 0, 0, _FOLLOWS_QUESTION
        fit = 1.0 if first == 1 else 0.95 if usual == 1 else 0.85 if first or usual or is_it else unnamed
        found.append((fit, name))
    for name in constants:
        if names.strength(name, names.LABEL_FIRST + ("category", "intent", "sentiment")) == 1:
            found.append((0.9, name))
    for name in table.columns:
        number = table.kind(name) == "number" and name not in table.labels
        if number and names.strength(name, names.LABEL_FIRST + names.LABEL) == 1:
            found.append((_SOLE, name))
    return found


def _label_names(table: Table, label: str) -> str:
    """The column with the names of a label's numbers: one name for each number."""
    if table.columns[label].share("integer") < 1:
        return ""
    return next((name for name in table.labels if _belongs(table, name, label)), "")


def _names_a_label(table: Table, name: str) -> bool:
    if names.words(name)[-1:] == () or names.words(name)[-1] not in names.LABEL_NAMES:
        return False
    return any(table.columns[other].share("integer") == 1 and _belongs(table, name, other) for other in table.labels)


def _belongs(table: Table, name: str, label: str) -> bool:
    """Whether `name` holds the names of `label`: called like it ("label_text"), as many different values, and words."""
    first, second = names.words(label), names.words(name)
    stem = first[0] if first else ""
    called = len(second) > 1 and second[0] == stem and second[-1] in names.LABEL_NAMES
    one, two = table.columns[name], table.columns[label]
    return name != label and called and one.distinct == two.distinct and one.share("integer") < 1


def _asked(table: Table, output: str) -> str:
    """The column with the usual name of what an answer answers."""
    free = [name for name in table.texts if name != output]
    if _is_a(table, output):
        return table.one(("q",), free)
    return table.one(_ASKED, free) or table.one(("input", "entrada", "eingabe", "source", "src"), free)


def _is_a(table: Table, output: str) -> bool:
    """Whether it is the a of q and a."""
    return names.key(output) == "a" and any(names.key(name) == "q" for name in table.texts)


def _with_inputs(
    table: Table, schema: str, task: str, strength: float, output: str, names_of: str
) -> Iterator[Candidate]:
    options = [option for option in inputs_with(table, output) if output not in option[0]]
    made = []
    for inputs, fit, tied in options:
        asked = names.strength(inputs[0], _ASKED + names.ANSWER) == 1
        found = strength or (_FOLLOWS_QUESTION if asked and len(table.texts) == 2 else _ANY_TEXT)
        roles = Roles(input=inputs, output=output, label_names=names_of)
        made.append((tied, table.candidate(schema, task, roles, [fit, found], template_of(inputs))))
    best = min(_TIED, max((one.confidence for tied, one in made if tied), default=0.0))
    for tied, one in made:
        yield one.model_copy(update={"confidence": best}) if tied else one


def inputs_with(table: Table, output: str) -> list[tuple[list[str], float, bool]]:
    """(columns, strength, whether others fit as well) of what could be the input beside `output`."""
    free = [name for name in table.texts if name != output]
    texts = [name for name in free if not names.aside(name)] or free
    if not texts:
        return []
    if len(texts) == 1:
        return [(texts, max(_SOLE, names.strength(texts[0], names.INPUT)), False)]
    pair = _title_and_body(table, texts)
    if pair:
        return [(pair, 1.0, False)]
    for least in (1.0, 0.85):
        named = [name for _, name in table.named(names.INPUT, least, texts)]
        named += [
            name for name in texts if name not in named and name.rpartition(" ")[0] in named and name[-1].isdigit()
        ]
        if len(named) == 1:
            return [(named, least, False)]
        if named:
            return _options(table, named, least)
    return _options(table, texts, _ANY_TEXT)


def _options(table: Table, texts: list[str], strength: float) -> list[tuple[list[str], float, bool]]:
    ordered = [name for name in table.columns if name in texts]
    together = [(ordered, strength, True)] if len(ordered) <= _MOST_TOGETHER else []
    return [*together, *(([name], strength, True) for name in ordered[:_MOST_OPTIONS])]


def _title_and_body(table: Table, texts: list[str]) -> list[str]:
    """Title and body, in this order, where there is exactly one of each."""
    titles = [name for _, name in table.named(names.TITLE, 0.85, texts)]
    title = titles[0] if titles else ""
    bodies = [name for _, name in table.named(names.BODY, 0.85, texts) if name != title]
    exact = [name for name in bodies if names.strength(name, names.BODY) == 1]
    body = exact if len(exact) == 1 else bodies
    return [title, body[0]] if title and len(body) == 1 and len(titles) == 1 else []
