"""Control tokens that somebody typed are text; only those of the chat template are control.

Both look alike in a rendered conversation (`<|im_end|>`). So contents are rendered with such words broken by a mark, the
template's own ones are then named by the mark, and a second tokenizer, which knows its control tokens by these names alone,
reads the whole. Texts without a control token never come here: they are read as they are.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MARK = secrets.token_hex(12)
"""In no text, as nobody knows it; it never reaches a token."""


class ControlTokens:
    """Those of the tokenizer in a model folder."""

    def __init__(self, folder: Path, tokenizer: Any) -> None:
        self._file = folder / "tokenizer.json"
        self._added = {token.content: number for number, token in tokenizer.get_added_tokens_decoder().items()}
        special = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
        self.ids = frozenset(self._added[token] for token in special)
        longest_first = sorted((token for token in special if len(token) > 1), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")
        self._named: tuple[Any, dict[int, int]] | None = None

    def inside(self, value: Any) -> bool:
        """Whether a control token stands in a text, or in any text of a list or of an object (roles are no texts)."""
        if isinstance(value, str):
            return self._pattern.search(value) is not None
        if isinstance(value, dict):
            return any(self.inside(each) for key, each in value.items() if key != "role")
        return isinstance(value, list) and any(map(self.inside, value))

    def closes(self, text: str) -> bool:
        """Whether a text ends with a control token."""
        return any(found.end() == len(text) for found in self._pattern.finditer(text))

    def broken(self, value: Any) -> Any:
        """The same value with each such token broken by the mark, so that `ids_of` takes it for text."""
        return _mapped(value, lambda text: self._pattern.sub(lambda found: found[0][0] + _MARK + found[0][1:], text))

    def ids_of(self, rendered: str) -> list[int]:
        """Ids of a text in which control tokens are control and broken ones are text."""
        tokenizer, original = self._tokenizer()
        parts, end = [], 0
        for found in self._pattern.finditer(rendered):
            parts += [rendered[end : found.start()].replace(_MARK, ""), _MARK + found[0]]
            end = found.end()
        text = "".join([*parts, rendered[end:].replace(_MARK, "")])
        return [original.get(number, number) for number in tokenizer.encode(text, add_special_tokens=False).ids]

    def _tokenizer(self) -> tuple[Any, dict[int, int]]:
        """The tokenizer that knows control tokens by their marked names, and of every added token: its id there -> here."""
        if self._named is None:
            from tokenizers import Tokenizer

            content = json.loads(self._file.read_text("utf-8"))
            content["post_processor"] = None  # it names tokens, and adds only what the chat template has already
            for token in content["added_tokens"]:
                if token["special"] and len(token["content"]) > 1:
                    token["content"] = _MARK + token["content"]
            content["truncation"] = content["padding"] = None
            named = Tokenizer.from_str(json.dumps(content))
            there = {token.content: number for number, token in named.get_added_tokens_decoder().items()}
            self._named = named, {number: self._added[name.removeprefix(_MARK)] for name, number in there.items()}
        return self._named


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: each if key == "role" else _mapped(each, change) for key, each in value.items()}
    return [_mapped(each, change) for each in value] if isinstance(value, list) else value
