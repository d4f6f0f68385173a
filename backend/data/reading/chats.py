"""Schemas of conversations: lists of messages, prompt and completion of messages, one row per turn."""

from __future__ import annotations

from collections.abc import Iterator

from backend.data.reading import names
from backend.data.reading.model import Candidate, Roles
from backend.data.reading.table import Table

_METADATA = (*names.SORTING, "difficulty", "score", "rating", "overall")
_SURE, _METADATA_FIT = 0.95, 0.75


def conversation(table: Table) -> Iterator[Candidate]:
    """A column of conversations: ShareGPT (from, value) and OpenAI (role, content); Azure's and OpenAI's fine-tuning files."""
    for name in _marked(table):
        roles = Roles(messages=name, system=table.system())
        yield table.candidate("chat", "conversation", roles, [1.0], less=0.1 * bool(table.labels))
    for name in table.chats:
        if names.strength(name, names.CHOSEN + names.REJECTED) == 1:
            continue
        found = table.columns[name]
        schema = "sharegpt" if found.keys["from"] else "chat"
        usual = names.strength(name, names.MESSAGES)
        roles = Roles(messages=name, system=table.system(), tools=_tools(table))
        answered = found.speakers["assistant"] > 0
        yield table.candidate(
            schema,
            "conversation",
            roles,
            [1.0 if usual else 0.9 if len(table.chats) == 1 else 0.6],
            less=0.0 if answered else 0.4,
        )


def _marked(table: Table) -> list[str]:
    """Texts that hold a conversation with marks of who speaks; not those that are a part of an example."""
    parts = names.CHOSEN + names.REJECTED + names.PROMPT
    texts = [(name, table.columns[name]) for name in table.texts if names.strength(name, parts) < 1]
    return [name for name, found in texts if found.marked >= 0.9 * found.looks > 0]


def conversation_label(table: Table) -> Iterator[Candidate]:
    """A conversation and the label that it gets."""
    for chat in table.chats:
        answered = table.columns[chat].speakers["assistant"] > 0
        for label in table.labels:
            named = names.strength(label, names.LABEL_FIRST + names.LABEL)
            if names.aside(label):
                continue
            fit = 0.6 if not named else _METADATA_FIT if names.strength(label, _METADATA) == 1 and answered else _SURE
            roles = Roles(messages=chat, output=label)
            yield table.candidate("conversation_label", "classification", roles, [fit])


def conversation_summary(table: Table) -> Iterator[Candidate]:
    """A conversation and its summary."""
    output = table.one(names.SUMMARY, table.texts)
    for chat in table.chats if output else ():
        yield table.candidate("conversation_summary", "summary", Roles(messages=chat, output=output), [1.0])


def messages_and_answer(table: Table) -> Iterator[Candidate]:
    """Messages and their answer in a second column: prompt and completion of messages, OpenAI's evals (input, ideal)."""
    prompt = table.one(("prompt", "input", "messages", "context", "history"), table.chats)
    if not prompt:
        return
    ideal = table.one(("ideal", "referenceanswer"), [*table.answers(), *_lists(table)])
    if ideal:
        yield table.candidate("openai_evals", "conversation", Roles(messages=prompt, output=ideal), [1.0])
    others = [name for name in [*table.chats, *table.texts] if name != prompt]
    completion = table.one(("completion", "response", "output", "answer", "target", "reply"), others)
    if completion:
        roles = Roles(messages=prompt, output=completion, tools=_tools(table))
        yield table.candidate("prompt_completion", "conversation", roles, [1.0])


def turns(table: Table) -> Iterator[Candidate]:
    """One row per turn: a column that says which conversation, one that says who speaks, and what was said."""
    speakers = [name for name in table.columns if table.says_who(name)]
    groups = [
        name
        for name, found in table.columns.items()
        if found.distinct > 1
        and not found.unique
        and found.kind not in ("text", "messages", "date", "list", "object")
        and names.strength(name, names.CONVERSATION_ID) >= 0.85
        and name not in speakers
    ]
    said = table.one(names.SPOKEN, table.texts) or (table.texts[0] if len(table.texts) == 1 else "")
    if speakers and groups and said:
        roles = Roles(input=[said], speaker=speakers[0], group=groups[0], system=table.system())
        yield table.candidate("turns", "conversation", roles, [1.0])


def own_export(table: Table) -> Iterator[Candidate]:
    """What the studio itself exported."""
    keyed = {names.key(name): name for name in table.columns}
    ours = {"split", "id", "input", "output", "context", "gold"} <= keyed.keys()
    if (table.facts.own_export or ours or _exported(table, keyed)) and {"input", "output"} <= keyed.keys():
        roles = Roles(
            input=[keyed["input"]],
            output=keyed["output"],
            history=keyed.get("context", ""),
            split=keyed.get("split", ""),
            carried=[keyed["id"]] if "id" in keyed else [],
        )
        yield table.candidate("own_export", "", roles, [1.0]).model_copy(update={"confidence": 1.0})


def _exported(table: Table, keyed: dict[str, str]) -> bool:
    """JSON Lines leave out what is empty: split, id, input, output and an earlier conversation are enough."""
    return {"split", "id", "input", "output", "context"} <= keyed.keys() and table.kind(keyed["context"]) == "messages"


def _lists(table: Table) -> list[str]:
    return [name for name, found in table.columns.items() if found.forms["strings"]]


def _tools(table: Table) -> str:
    kinds = ("list", "object", "text", "constant", "label")
    return table.one(names.TOOLS, [name for name, found in table.columns.items() if found.kind in kinds])
