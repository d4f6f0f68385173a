"""Chat template and tokenizer of a model folder, without torch or transformers.

Every process that turns a row into token ids does it here: equal ids in training, evaluation, chat and package. Tools and
calls are written by the model's own template, as transformers' `apply_chat_template` does; control tokens that somebody
typed are read as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError

from backend.core.errors import StudioError
from backend.data.control_tokens import ControlTokens
from backend.data.conversation import Conversation, read_conversation, read_object, without_limits
from backend.data.dataset import Message, Row, Template, called_names, gold_answer, offered_tools
from backend.data.families import thinking_variable
from backend.data.template_language import as_templates_read, compile_template


class Encoder:
    """`folder` holds tokenizer.json and what `backend.data.conversation` reads beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.config: dict[str, Any] = read_object(self.folder / "tokenizer_config.json")

    @cached_property
    def tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return without_limits(Tokenizer.from_file(str(self.folder / "tokenizer.json")))

    @cached_property
    def control(self) -> ControlTokens:
        return ControlTokens(self.folder, self.tokenizer)

    @cached_property
    def conversation(self) -> Conversation:
        """What the files say of template, special tokens and end of turn."""
        there = (self.folder / "tokenizer.json").is_file()
        return read_conversation(self.folder, self.tokenizer if there else None)

    @property
    def end(self) -> str:
        """The token that ends the model's turn."""
        return self.conversation.end

    @cached_property
    def stops(self) -> frozenset[int]:
        """Ids of all tokens that end an answer."""
        return self.conversation.stop_ids(self.tokenizer)

    @cached_property
    def template(self) -> Any:
        return compile_template(self.template_source())

    def render(self, messages: list[Message], ask: bool = True, tools: list[dict[str, Any]] | None = None) -> str:
        """The text that the model sees; `ask` adds the opening of its own turn. `tools`: what it may call, in OpenAI's format;
        by default those of the first message. Raises StudioError when the chat template leaves tools or calls out."""
        text = self._rendered(messages, ask, tools or offered_tools(messages))
        names = called_names(messages, tools)
        if any(name not in text for name in names):
            raise StudioError("tools.no_place", model=self.folder.name)
        return text

    def chat_ids(self, messages: list[Message], ask: bool = True) -> list[int]:
        """Token ids of a conversation as `render` writes it. Control tokens in what was said are text."""
        if not self.control.inside(messages):
            return self.ids(self.render(messages, ask))
        return self.control.ids_of(self.render(self.control.broken(messages), ask))

    def special(self, name: str) -> str:
        """`bos`, `eos`, `pad` or `unk`; "" where no file names it."""
        return self.conversation.tokens[name]

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
        """Raises StudioError when the chat template refuses the row's conversation, or has no place for its tools."""
        with _refusals(row):
            return self.chat_ids(template.prompt(row))

    def answer_ids(self, answer: str) -> list[int]:
        """The ids that the model has to give: the answer and its end of turn. Masking goes by length, never by pad id
        (pad and end of turn are often the same token)."""
        end = self.end
        if self.control.inside(answer):
            return self.control.ids_of(self.control.broken(answer) + end)
        return self.ids(answer + end)

    def document_ids(self, text: str) -> list[int]:
        """The ids of running text, as a model reads it in pre-training: after what the tokenizer puts before every text (bos,
        where it has one), with the end token behind. Control tokens inside are text."""
        before, end = self._around
        typed = self.control.inside(text)
        return [*before, *(self.control.ids_of(self.control.broken(text)) if typed else self.ids(text)), *end]

    @cached_property
    def _around(self) -> tuple[list[int], list[int]]:
        end = self.ids(self.special("eos") or self.end)
        return [each for each in self.tokenizer.encode("").ids if each not in end], end

    def row_answer_ids(self, template: Template, row: Row) -> list[int]:
        """The ids of what is learned of a row with an answer: its text, or its calls as the chat template writes them, each
        with the end of turn. Raises StudioError as `prompt_ids`."""
        if not row.tool_calls:
            return self.answer_ids(row.output or "")
        messages = [*template.prompt(row), row.answer_message()]
        with _refusals(row):
            if not self.control.inside(messages):
                return self.ids(self._calls(messages))
            return self.control.ids_of(self._calls(self.control.broken(messages)))

    def answer_text(self, template: Template, row: Row) -> str:
        """What is learned of a row, as the model has to write it, with the end of turn. Raises StudioError as
        `row_answer_ids`."""
        if row.tool_calls:
            return self._calls([*template.prompt(row), row.answer_message()])
        return (row.output or "") + self.end

    def gold_ids(self, template: Template, row: Row) -> list[int]:
        """As `row_answer_ids`, of what a person says is right."""
        return self.row_answer_ids(template, row) if _calls_are_gold(row) else self.answer_ids(gold_answer(row) or "")

    def gold_text(self, template: Template, row: Row) -> str:
        """What a person says is right, as an answer of this model reads when it is right."""
        if _calls_are_gold(row):
            return self.text(self.row_answer_ids(template, row))
        return gold_answer(row) or ""

    def keeps_turns(self) -> bool:
        """Whether the template writes an earlier turn as it was answered: then a conversation is one sequence."""
        asked = {"role": "user", "content": "Will it rain?"}
        said = {"role": "assistant", "content": "It will."}
        return self.render([asked, said, asked]).startswith(self.render([asked]) + "It will." + self.end)

    def template_source(self) -> str:
        """The chat template as it is used; for base models without one, roles as plain words."""
        return self._source

    @cached_property
    def _source(self) -> str:
        """Checks before a start ask for it, so it is read without the tokenizer, which takes seconds to load."""
        return read_conversation(self.folder, None).template

    def _rendered(self, messages: list[Message], ask: bool, tools: list[dict[str, Any]] | None) -> str:
        text: str = self.template.render(
            messages=as_templates_read(messages),
            tools=tools or None,
            documents=None,
            add_generation_prompt=ask,
            **{f"{role}_token": token for role, token in self.conversation.tokens.items()},
            **self._thinking(),
        )
        return text

    def _thinking(self) -> dict[str, bool]:
        """Whether the model thinks before it answers, by the name that its template has for that."""
        wanted = self.conversation.thinking
        name = thinking_variable(self.template_source())
        return {} if wanted is None or not name else {name: wanted}

    def _calls(self, messages: list[Message]) -> str:
        """The last message as the template writes it after the opening of the model's turn, up to its end of turn."""
        refusal = StudioError("tools.no_place", model=self.folder.name)
        prompt = self.render(messages[:-1])
        try:
            whole = self.render(messages, ask=False)
        except TemplateError as error:
            raise refusal from error
        if not whole.startswith(prompt):
            raise refusal
        answer, end = whole[len(prompt) :], self.end
        if end and end in answer:
            return answer[: answer.rindex(end) + len(end)]
        answer = answer.rstrip()
        return answer if self.control.closes(answer) else answer + end


def gold_text(template: Template, row: Row, encoder: Encoder | None) -> str:
    """What a person says is right, as a model with this encoder writes it; without one, calls are JSON (`answer_of`)."""
    return encoder.gold_text(template, row) if encoder else gold_answer(row) or ""


@contextmanager
def _refusals(row: Row) -> Iterator[None]:
    try:
        yield
    except TemplateError as error:
        raise StudioError("tokens.refused", row=row.id or row.input[:40], reason=str(error)) from error


def _calls_are_gold(row: Row) -> bool:
    return bool(row.tool_calls) and row.gold is None
