"""A model's chat template taken apart: what stands around the words of each role. No torch.

The template is rendered with marks in place of the words, and the pieces are what stands between the marks. They count only
when, put together again, they give exactly what the template itself gives for a whole conversation.
"""

from __future__ import annotations

from typing import NamedTuple

from jinja2.exceptions import TemplateError

from backend.data.chat_template import Encoder
from backend.data.dataset import Message

CONTENT_PLACEHOLDER = "{Content}"
_SYSTEM, _ASK, _SAY, _AGAIN = "@@system@@", "@@question@@", "@@answer@@", "@@another question@@"


class RoleAffixes(NamedTuple):
    """What stands before and after the words of a role."""

    before: str
    after: str

    def text(self, words: str) -> str:
        return f"{self.before}{words}{self.after}"


class PromptParts(NamedTuple):
    """`prefix`: what opens a conversation that has no system message; `generation_prompt`: what asks the model to speak.
    `system` holds its own beginning of the conversation; None where the template knows no system message."""

    prefix: str
    system: RoleAffixes | None
    user: RoleAffixes
    assistant: RoleAffixes
    generation_prompt: str

    def prompt(self, messages: list[Message]) -> str:
        """The conversation up to the answer, put together from the pieces."""
        parts = [] if messages[0]["role"] == "system" else [self.prefix]
        for message in messages:
            around = {"system": self.system, "user": self.user, "assistant": self.assistant}[message["role"]]
            parts.append(around.text(message["content"]) if around else "")
        return "".join([*parts, self.generation_prompt])


def split_chat_template(encoder: Encoder) -> PromptParts | None:
    """The pieces of a model's chat template; None when it can't be put together from a piece per role: its words for one role
    depend on what another one says."""
    try:
        found = _parse(encoder)
    except (TemplateError, ValueError):
        return None
    return found if found and _reproduces_template(found, encoder) else None


def supports_system_message(encoder: Encoder) -> bool:
    """Whether the template has a system turn of its own: some refuse it, some leave it out."""
    return not encoder.conversation.folds_system


def _parse(encoder: Encoder) -> PromptParts | None:
    """Raises ValueError where a mark is missing or twice."""
    ask, say, again = _message("user", _ASK), _message("assistant", _SAY), _message("user", _AGAIN)
    _, closed = _parts(encoder.render([ask], ask=False), _ASK)
    _, asked = _parts(encoder.render([ask]), _ASK)
    if not asked.startswith(closed):
        return None
    generation_prompt = asked[len(closed) :]
    _, between, said = _parts(encoder.render([ask, say], ask=False), _ASK, _SAY)
    before, _, turn, _ = _parts(encoder.render([ask, say, again]), _ASK, _SAY, _AGAIN)
    if not between.startswith(closed) or not turn.startswith(said):
        return None
    user = RoleAffixes(turn[len(said) :], closed)
    assistant = RoleAffixes(between[len(closed) :], said)
    if not before.endswith(user.before):
        return None
    prefix = before[: len(before) - len(user.before)]
    if not supports_system_message(encoder):
        return PromptParts(prefix, None, user, assistant, generation_prompt)
    begin, after, _ = _parts(encoder.render([_message("system", _SYSTEM), ask]), _SYSTEM, _ASK)
    if not after.endswith(user.before):
        return None
    system = RoleAffixes(begin, after[: len(after) - len(user.before)])
    return PromptParts(prefix, system, user, assistant, generation_prompt)


def _reproduces_template(found: PromptParts, encoder: Encoder) -> bool:
    """Whether pieces and template agree on a conversation of two questions, with and without a system message."""
    turns = [_message("user", _ASK), _message("assistant", _SAY), _message("user", _AGAIN)]
    told = [_message("system", _SYSTEM), *turns]
    talks = [turns, told, told[:2]] if found.system else [turns]
    return all(found.prompt(talk) == encoder.render(talk) for talk in talks)


def _parts(text: str, *marks: str) -> list[str]:
    """What stands before, between and after the marks. Raises ValueError where one is missing or twice."""
    parts = []
    for mark in marks:
        if text.count(mark) != 1:
            raise ValueError(mark)
        part, text = text.split(mark)
        parts.append(part)
    return [*parts, text]


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}
