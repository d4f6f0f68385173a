"""The language of chat templates, set up as transformers does it: sandboxed jinja with loop controls, `tojson` that escapes
no HTML, `raise_exception`, `strftime_now`, and `generation` blocks, which are read through."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from backend.data.dataset import Message, call_arguments


class _Generation(Extension):
    """`{% generation %}` marks what the model says; what is learned is known here without it."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


def compile_template(source: str) -> Any:
    """A jinja template. Raises jinja2's TemplateSyntaxError."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source)


def fold(system: bool, repeats: bool) -> str:
    """What stands before a template that refuses system turns or two turns of the user in a row: they become one turn. A
    conversation without these stays as it is. Plain jinja, so that every runtime folds alike."""
    if not system and not repeats:
        return ""
    role = "'user' if m['role'] == 'system' else m['role']" if system else "m['role']"
    return (
        "{% set folded = namespace(turns=[]) %}{% for m in messages %}"
        f"{{% set role = {role} %}}"
        "{% if folded.turns and role == 'user' and folded.turns[-1]['role'] == 'user' %}"
        "{% set both = folded.turns[-1]['content'] + '\\n\\n' + m['content'] %}"
        "{% set folded.turns = folded.turns[:-1] + [{'role': 'user', 'content': both}] %}"
        "{% elif role != m['role'] %}"
        "{% set folded.turns = folded.turns + [{'role': role, 'content': m['content']}] %}"
        "{% else %}{% set folded.turns = folded.turns + [m] %}{% endif %}"
        "{% endfor %}{% set messages = folded.turns %}\n"
    )


def plain_tags(source: str) -> str:
    """A template without the field's own tags, for runtimes that know jinja's alone."""
    return re.sub(
        r"{%([-+]?)\s*(end)?generation\s*(-?)%}",
        lambda found: "{%" + found[1] + (" endif " if found[2] else " if true ") + found[3] + "%}",
        source,
    )


def as_templates_read(messages: list[Message]) -> list[Message]:
    """Messages as chat templates expect them: a content that is a text or parts, never None, and the arguments of calls as
    objects, not as the text of one."""
    return [_plain(message) for message in messages]


def _plain(message: Message) -> Message:
    kept = {key: value for key, value in message.items() if key != "tools"}
    if kept.get("content") is None:
        kept["content"] = ""
    if "tool_calls" in kept and not kept["tool_calls"]:
        del kept["tool_calls"]
    elif "tool_calls" in kept:
        kept["tool_calls"] = [_call(call) for call in kept["tool_calls"]]
    return kept


def _call(call: dict[str, Any]) -> dict[str, Any]:
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        return call
    return {**call, "function": {**function, "arguments": call_arguments(function)}}


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _refuse(message: str) -> None:
    raise TemplateError(message)
