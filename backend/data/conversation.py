"""One reading of a model's conversation: its chat template, special tokens, and the tokens that end its turn.

Training, evaluation, chat, server, export and package all read a model folder here. What may hold what, first found first used:

- template: `chat_template.jinja`, `tokenizer_config.json` (text, or a list of named templates), `chat_template.json`,
  `additional_chat_templates/*.jinja`. Of named ones “default” is used, and “tool_use” where tools are offered.
- bos, eos, pad, unk: `conversation.json`, `tokenizer_config.json`, `special_tokens_map.json`, then the ids in
  `generation_config.json` and `config.json`.
- end of turn: `conversation.json`, what the template writes after the model's words, else eos.
- stops: the end of turn, eos, and every id in `generation_config.json` and `genai_config.json`, else those in `config.json`.

`conversation.json` is the studio's own: what was settled at import or named by a person. What the files say otherwise is a
finding. Truncation and padding saved in `tokenizer.json` are never obeyed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError

from backend.core.errors import Problem, StudioError
from backend.data.families import Family, family_of
from backend.data.template_language import compile_template, fold

CONVERSATION_FILE = "conversation.json"
TEMPLATE_FILE = "chat_template.jinja"
_CONFIG, _MAP = "tokenizer_config.json", "special_tokens_map.json"
_OTHER_TEMPLATE, MORE_TEMPLATES = "chat_template.json", "additional_chat_templates"
TEMPLATE_PLACES = (TEMPLATE_FILE, _OTHER_TEMPLATE, MORE_TEMPLATES)
"""Files and folders that hold templates alone."""
_GENERATION, _MODEL, _GENAI = "generation_config.json", "config.json", "genai_config.json"
_ASKED, _SAID, _TOLD = "@@question@@", "@@answer@@", "@@system@@"
ROLES = ("bos", "eos", "pad", "unk")

PLAIN_TEMPLATE = (
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
"""For base models that bring no chat template: roles as plain words."""


@dataclass
class Conversation:
    """`template`: jinja as it is used, where need be with a beginning that folds turns which the model's own refuses.
    `template_from`: the file that holds it, "" for the plain one. `tokens`: bos, eos, pad, unk. `end`: the token that ends
    the model's turn, "" when no file tells; `stops`: all tokens that end an answer. `thinking`: None: as the template."""

    template: str
    template_from: str
    tokens: dict[str, str]
    end: str
    stops: tuple[str, ...]
    thinking: bool | None = None
    folds_system: bool = False
    findings: list[Problem] = field(default_factory=list)

    @cached_property
    def family(self) -> Family | None:
        return family_of(self.template)

    def stop_ids(self, tokenizer: Any) -> frozenset[int]:
        found = (tokenizer.token_to_id(token) for token in self.stops)
        return frozenset(number for number in found if number is not None)

    def problem(self) -> Problem | None:
        """What makes it useless: no end of turn."""
        return None if self.end else Problem(code="talk.no_end")


def read_conversation(folder: Path, tokenizer: Any) -> Conversation:
    """Of a model folder and its `tokenizers.Tokenizer`; without one the template is the same, and ids
    name no tokens. Raises StudioError for a file that is no JSON object."""
    return _Reader(Path(folder), tokenizer).read()


def stored_template(folder: Path) -> str:
    """The text of the chat template that is used. Nothing is rendered. Raises StudioError as `read_conversation`."""
    return _Reader(Path(folder), None).template()[0]


def without_limits(tokenizer: Any) -> Any:
    """The same tokenizer without the truncation and padding that were saved with it."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def drop_limits(folder: Path) -> None:
    """Rewrite `tokenizer.json` without truncation and padding, which other runtimes obey."""
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text("utf-8"))
    if content.get("truncation") or content.get("padding"):
        file.write_text(json.dumps({**content, "truncation": None, "padding": None}, ensure_ascii=False), "utf-8")


class _Reader:
    """Reads all files of one folder once, and collects what they say otherwise."""

    def __init__(self, folder: Path, tokenizer: Any) -> None:
        self.folder, self.tokenizer = folder, tokenizer
        self.findings: list[Problem] = []
        names = (CONVERSATION_FILE, _CONFIG, _MAP, _GENERATION, _MODEL, _GENAI)
        self.files = {name: read_object(folder / name) for name in names}
        genai = self.files[_GENAI].get("model")
        self.files[_GENAI] = genai if isinstance(genai, dict) else {}
        self.own = self.files[CONVERSATION_FILE]

    def read(self) -> Conversation:
        source, place = self.template()
        tokens = {role: self._token(role) for role in ROLES}
        compiled = compile_template(source)
        takes_system = _takes_system(compiled, tokens)
        folds = fold(not takes_system, not _renders(compiled, tokens, "user", "user"))
        written = self._written_end(compiled, tokens)
        end = _text(self.own.get("end")) or written or tokens["eos"]
        if self.tokenizer:
            self._limits()
        if not takes_system:
            self._say("talk.system_folded")
        stops = self._stops(end, tokens["eos"])
        if end and tokens["eos"] and end != tokens["eos"]:
            self._say("talk.end_differs", end=end, eos=tokens["eos"])
        thinking = self.own.get("thinking")
        return Conversation(
            template=folds + source,
            template_from=place,
            tokens=tokens,
            end=end,
            stops=stops,
            thinking=thinking if isinstance(thinking, bool) else None,
            folds_system=not takes_system,
            findings=self.findings,
        )

    def template(self) -> tuple[str, str]:
        """Its text, and the file that holds it."""
        found = list(self._templates())
        more = {file.stem: file.read_text("utf-8") for file in sorted((self.folder / MORE_TEMPLATES).glob("*.jinja"))}
        if not found and not more:
            self._say("talk.no_template")
            return PLAIN_TEMPLATE, ""
        place, named = found[0] if found else (MORE_TEMPLATES, {})
        named = more | named
        for other, texts in found[1:]:
            if texts.get("default") not in (None, named.get("default")):
                self._say("talk.templates_differ", used=place, other=other)
        chosen = "default" if "default" in named else next(iter(named))
        if len(named) > 1 or chosen != "default":
            self._say("talk.named_templates", file=place, used=chosen, names=", ".join(sorted(named)))
        tools = named.get("tool_use")
        if tools is None or chosen == "tool_use":
            return named[chosen], place
        return _either(tools, named[chosen]), place

    def _templates(self) -> Iterator[tuple[str, dict[str, str]]]:
        """(file, its templates by their names)."""
        if (self.folder / TEMPLATE_FILE).is_file():
            yield TEMPLATE_FILE, {"default": (self.folder / TEMPLATE_FILE).read_text("utf-8")}
        other = read_object(self.folder / _OTHER_TEMPLATE)
        for name, content in ((_CONFIG, self.files[_CONFIG]), (_OTHER_TEMPLATE, other)):
            if found := _named(content.get("chat_template")):
                yield name, found

    def _token(self, role: str) -> str:
        """The first that names it; others are findings."""
        said = {
            CONVERSATION_FILE: _text(self.own.get(role)),
            _CONFIG: _text(self.files[_CONFIG].get(f"{role}_token")),
            _MAP: _text(self.files[_MAP].get(f"{role}_token")),
        }
        for name in (_GENERATION, _MODEL):
            ids = self._ids(name, role)
            said[name] = ids[0] if ids and not any(said.values()) else ""
        named = {name: token for name, token in said.items() if token}
        if not named:
            return ""
        place, used = next(iter(named.items()))
        for other, token in named.items():
            if token != used:
                self._say("talk.tokens_differ", role=role, place=place, used=used, other=other, named=token)
        return used

    def _written_end(self, compiled: Any, tokens: dict[str, str]) -> str:
        """The token that the template writes next after the model's words, "" where it writes none or refuses."""
        try:
            said = _render(compiled, tokens, [("user", _ASKED), ("assistant", _SAID)])
        except (TemplateError, TypeError):
            return ""
        after = said.rpartition(_SAID)[2].lstrip() if _SAID in said else ""
        decoder = self.tokenizer.get_added_tokens_decoder() if self.tokenizer else {}
        added = {token.content for token in decoder.values()}
        added |= {tokens["eos"]} - {""}
        return next((token for token in sorted(added, key=len, reverse=True) if after.startswith(token)), "")

    def _stops(self, end: str, eos: str) -> tuple[str, ...]:
        said = [*self._ids(_GENERATION, "eos"), *self._ids(_GENAI, "eos")]
        if end and said and end not in said:
            self._say("talk.end_missing", end=end, file=_GENERATION, named=", ".join(said))
        own = self.own.get("stops")
        own = [stop for stop in own if isinstance(stop, str)] if isinstance(own, list) else []
        return tuple(dict.fromkeys(filter(None, [end, eos, *own, *(said or self._ids(_MODEL, "eos"))])))

    def _ids(self, name: str, role: str) -> list[str]:
        """The tokens behind the ids that a file names."""
        value = self.files[name].get(f"{role}_token_id")
        ids = value if isinstance(value, list) else [value]
        whole = [each for each in ids if isinstance(each, int) and not isinstance(each, bool) and 0 <= each < 2**31]
        return [token for token in map(self.tokenizer.id_to_token, whole) if token] if self.tokenizer else []

    def _limits(self) -> None:
        head = read_object(self.folder / "tokenizer.json")
        limit = head.get("truncation")
        if isinstance(limit, dict):
            self._say("talk.truncation", length=limit.get("max_length", "?"))
        if head.get("padding"):
            self._say("talk.padding")

    def _say(self, code: str, **args: Any) -> None:
        self.findings.append(Problem(code=code, args=args, blocking=False))


def read_object(file: Path) -> dict[str, Any]:
    """The JSON object in a file; {} when there is no such file. Raises StudioError for anything else."""
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise StudioError("models.damaged_json", path=file.parent, file=file.name, line=line) from None
    if not isinstance(content, dict):
        raise StudioError("models.damaged_json", path=file.parent, file=file.name, line=1)
    return content


def _named(value: Any) -> dict[str, str]:
    """Chat templates by name: a text is “default”; a list of {name, template} as tokenizers save it."""
    if isinstance(value, str):
        return {"default": value}
    if isinstance(value, list):
        pairs = [(each.get("name"), each.get("template")) for each in value if isinstance(each, dict)]
    else:
        pairs = list(value.items()) if isinstance(value, dict) else []
    return {name: text for name, text in pairs if isinstance(name, str) and isinstance(text, str)}


def _either(tools: str, default: str) -> str:
    """One template that is `tools` where tools are offered. Whitespace as if each stood alone (`trim_blocks` takes the line
    break after a tag, `+` keeps blanks before one)."""
    one, two = (re.sub(r"\n\Z", "", text) for text in (tools, default))
    return f"{{% if tools %}}\n{one}{{%+ else %}}\n{two}{{%+ endif %}}"


def _text(value: Any) -> str:
    """A token: a text, or an object with its content."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""


def _render(compiled: Any, tokens: dict[str, str], turns: list[tuple[str, str]]) -> str:
    messages = [{"role": role, "content": content} for role, content in turns]
    named = {f"{role}_token": token for role, token in tokens.items()}
    text: str = compiled.render(messages=messages, tools=None, documents=None, add_generation_prompt=False, **named)
    return text


def _renders(compiled: Any, tokens: dict[str, str], *roles: str) -> bool:
    try:
        _render(compiled, tokens, [(role, _ASKED) for role in roles])
    except (TemplateError, TypeError):
        return False
    return True


def _takes_system(compiled: Any, tokens: dict[str, str]) -> bool:
    """Some templates refuse a system turn, some leave it out."""
    try:
        return _TOLD in _render(compiled, tokens, [("system", _TOLD), ("user", _ASKED)])
    except (TemplateError, TypeError):
        return not _renders(compiled, tokens, "user")  # refuses any text: not the system turn is to blame
