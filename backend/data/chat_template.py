"""Chat template and tokenizer of a model folder, without torch or transformers.

Every process that turns a row into token ids does it here: equal ids in training, evaluation, chat and package. The jinja
environment is set up as transformers does it (trim_blocks, lstrip_blocks, sandboxed, loop controls).
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from backend.data.dataset import Message, Row, Template


class Encoder:
    """`folder` holds tokenizer.json, tokenizer_config.json and maybe chat_template.jinja."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        config = self.folder / "tokenizer_config.json"
        self.config: dict[str, Any] = json.loads(config.read_text("utf-8")) if config.is_file() else {}

    @cached_property
    def tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self.folder / "tokenizer.json"))

    @cached_property
    def template(self) -> Any:
        def refuse(message: str) -> None:
            raise TemplateError(message)

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
        environment.filters["tojson"] = lambda value, **kw: json.dumps(value, ensure_ascii=False, **kw)
        environment.globals["raise_exception"] = refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        return environment.from_string(self.template_source())

    def render(self, messages: list[Message], ask: bool = True) -> str:
        """The text that the model sees; `ask` adds the opening of its own turn."""
        text: str = self.template.render(
            messages=messages, add_generation_prompt=ask, bos_token=self.special("bos"), eos_token=self.special("eos")
        )
        return text

    def special(self, name: str) -> str:
        value = self.config.get(f"{name}_token") or ""
        return value["content"] if isinstance(value, dict) else value

    def ids(self, text: str) -> list[int]:
        """Token ids of already templated text: the template carries the special tokens."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def text(self, ids: list[int]) -> str:
        decoded: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        return decoded

    def vocabulary(self) -> dict[str, int]:
        """Token -> id, added tokens too."""
        found: dict[str, int] = self.tokenizer.get_vocab(with_added_tokens=True)
        return found

    def prompt_ids(self, template: Template, row: Row) -> list[int]:
        return self.ids(self.render(template.prompt(row)))

    def answer_ids(self, answer: str) -> list[int]:
        """The ids that the model has to give: the answer and its end of turn. Masking goes by length, never by pad id
        (pad and end of turn are often the same token)."""
        return self.ids(answer + self.special("eos"))

    def template_source(self) -> str:
        """The chat template itself; for base models without one, roles as plain words."""
        file = self.folder / "chat_template.jinja"
        if file.is_file():
            return file.read_text("utf-8")
        source = self.config.get("chat_template")
        if isinstance(source, str):
            return source
        return PLAIN_TEMPLATE


PLAIN_TEMPLATE = (
    "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
"""For base models that bring no chat template: roles as plain words."""
