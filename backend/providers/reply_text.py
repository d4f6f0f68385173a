"""The text of a reply, whatever form it comes in: a text or a list of parts, with reasoning beside it or within it.

Where reasoning stands beside the answer: DeepSeek and vLLM write `reasoning_content`, OpenRouter, Ollama and newer vLLM
`reasoning`, Anthropic blocks of type `thinking`, Mistral parts of type `thinking`. Where it stands within: between the marks
of `MARKS`, the first of which may be missing when the chat template wrote it, and the second when the answer was cut off.
Pure text: nothing here sends anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>final<|message|>"),
)
"""Beginning and end of reasoning: Qwen, DeepSeek and most others; prompts that ask for it; Gemma; gateways; Seed; Magistral;
Kimi; gpt-oss where its harmony format is not parsed."""
_ALONE = ("</think>", "[/THINK]", "◁/think▷")
"""Ends that may stand without a beginning: these templates open the block in the prompt."""
_LONGEST = max(len(begin) for begin, _ in MARKS)
_HALVES = re.compile("[\ud800-\udfff]")
REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking")


def clean(text: str) -> str:
    """Pairs of surrogates joined, and what is left of half a character replaced by U+FFFD: no file or database takes it."""
    if not _HALVES.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cleaned(content: Any) -> Any:
    """JSON content with every text in it clean."""
    if isinstance(content, str):
        return clean(content)
    if isinstance(content, dict):
        return {clean(key) if isinstance(key, str) else key: cleaned(value) for key, value in content.items()}
    return [cleaned(each) for each in content] if isinstance(content, list) else content


def content_texts(content: Any) -> tuple[str, str]:
    """(text, reasoning) of a message's `content`: a text, None, or a list of parts, of which those of other kinds (images,
    references) are left out. Raises TypeError for anything else."""
    if content is None or isinstance(content, str):
        return content or "", ""
    if not isinstance(content, list):
        raise TypeError(content)
    text, reasoning = [], []
    for part in content:
        if isinstance(part, str):
            text.append(part)
        elif part.get("type") in ("thinking", "reasoning"):
            reasoning.append(_thoughts(part))
        elif part.get("type", "text") in ("text", "output_text") and isinstance(part.get("text"), str):
            text.append(part["text"])
    return "".join(text), "\n".join(filter(None, reasoning))


def separate_reasoning(message: dict[str, Any]) -> str:
    """The reasoning that a message has in a field of its own."""
    found = (message.get(name) for name in REASONING_FIELDS)
    return next((each for each in found if isinstance(each, str) and each), "")


def split_reasoning(text: str) -> tuple[str, str]:
    """(answer, reasoning), both stripped. A block that is not closed takes all that follows: its answer never came."""
    text = text.strip()
    thoughts: list[str] = []
    for begin, end in MARKS:
        while text.startswith(begin):
            inside, closed, rest = text[len(begin) :].partition(end)
            thoughts.append(inside.strip())
            text = rest.strip() if closed else ""
    if not thoughts:
        for end in _ALONE:
            inside, closed, rest = text.partition(end)
            if closed:
                return rest.strip(), inside.strip()
    return text, "\n\n".join(filter(None, thoughts))


class ReasoningFilter:
    """The same for a stream: what comes in pieces, without a block of reasoning at its beginning."""

    def __init__(self) -> None:
        self._held, self._end = "", ""
        self._begun = self._after = False

    def feed(self, piece: str) -> Iterator[str]:
        """The text of the answer that this piece adds; raises nothing."""
        self._held += piece
        if self._half():
            return
        if not self._begun and not self._end:
            self._look()
        if self._end:
            inside, closed, rest = self._held.partition(self._end)
            self._held = rest if closed else inside[-len(self._end) :]
            if not closed:
                return
            self._end, self._after = "", True
        if self._after and not self._begun:  # what separates reasoning and answer is part of neither
            self._held = self._held.lstrip()
        if self._begun or not self._undecided():
            self._begun = True
            yield from self.rest()

    def rest(self) -> Iterator[str]:
        """What is still held; nothing of a block that was never closed."""
        held, self._held = self._held, ""
        if held and not self._end:
            yield clean(held)

    def _half(self) -> bool:
        """Whether the last character is the first half of a pair: the other half comes with the next piece."""
        return "\ud800" <= self._held[-1:] <= "\udbff"

    def _look(self) -> None:
        start = self._held.lstrip()
        for begin, end in MARKS:
            if start.startswith(begin):
                self._held, self._end = start[len(begin) :], end

    def _undecided(self) -> bool:
        start = self._held.lstrip()
        return len(start) < _LONGEST and any(begin.startswith(start) for begin, _ in MARKS)


def _thoughts(part: dict[str, Any]) -> str:
    """Anthropic: `thinking` is a text; Mistral: a list of parts of text."""
    inside = part.get("thinking", part.get("text", part.get("reasoning", "")))
    return content_texts(inside)[0] if isinstance(inside, str | list) else ""
