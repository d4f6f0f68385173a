"""Gates that look for patterns in the texts of each row: personal data, secrets, control tokens, rests of pages and templates,
damaged encoding, phrases that command a model, answers that decline."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, cast

import numpy as np
import pyarrow.compute as pc

from backend.core.messages.words import PERSONAL
from backend.data.gates.base import Found, Gate, Options, block_texts, excerpt
from backend.data.gates.encoding_damage import MAY_BE_DAMAGED, damage
from backend.data.gates.personal import MAY_BE_PERSONAL, personal_data
from backend.data.gates.secrets import MAY_BE_SECRET, secrets
from backend.data.row_blocks import RowBlock

Numbers = np.ndarray[Any, np.dtype[np.int64]]


SAMPLED_EVERY = 100
"""Beyond the rows that are examined one by one, so many that may hold something stand for one that is examined."""


class Looking:
    """Collects the rows in which something is found, and counts what it is. `may_hold`: an expression (RE2, by which a whole
    block is searched) that is in every text in which something can be found."""

    code = ""
    may_hold = "[^a]|a"

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.hits, self.kinds, self.seen = options.hits(), Counter[str](), 0
        self.examined = self.passed_over = 0

    def see_block(self, block: RowBlock) -> None:
        self.seen += len(block)
        texts, rows = block.once(block_texts), None
        if self.may_hold in _TOGETHER:  # one search for all of these: most rows hold nothing
            rows = block.once(_suspects)
            texts = texts.take(rows)
        found = np.flatnonzero(pc.match_substring_regex(texts, self.may_hold))
        for at in self._sample(found):
            row = at if rows is None else int(rows[at])
            self.look_at(block.split, block.ids[row].as_py(), texts[at].as_py())

    def _sample(self, rows: Numbers) -> list[int]:
        if self.options.most_examined is not None:
            left = max(0, self.options.most_examined - self.examined)
            kept = np.r_[rows[:left], rows[left:][::SAMPLED_EVERY]]
            self.passed_over += len(rows) - len(kept)
            rows = kept
        self.examined += len(rows)
        return cast(list[int], rows.tolist())

    def look_at(self, split: str, row: str, text: str) -> None:
        """`row`: its id."""
        raise NotImplementedError

    def add(self, split: str, row: str, kinds: list[str], text: str, at: int = 0) -> None:
        """A row that holds these kinds of things, the first one at the place `at` of `text`."""
        self.kinds.update(kinds)
        detail = ", ".join(dict.fromkeys(kinds))
        self.hits.add(split, row, excerpt(text, at), detail=detail[:200])

    def found(self) -> Found | None:
        shown = ", ".join(f"{kind} ({count})" for kind, count in self.kinds.most_common(6))
        return self.gate.finding(self.code, self.hits, self.seen, {"found": shown})


def _suspects(block: RowBlock) -> Numbers:
    """Rows in which one of the quick gates may find something."""
    return np.flatnonzero(pc.match_substring_regex(block.once(block_texts), _ANY))


class PersonalData(Looking):
    code = "gates.personal"
    may_hold = MAY_BE_PERSONAL

    def look_at(self, split: str, row: str, text: str) -> None:
        if places := personal_data(text):
            self.add(split, row, [PERSONAL[place.kind] for place in places], text, places[0].start)


class Secrets(Looking):
    code = "gates.secrets"
    may_hold = MAY_BE_SECRET

    def look_at(self, split: str, row: str, text: str) -> None:
        if places := secrets(text):
            self.add(split, row, [place.kind for place in places], text, places[0].start)


CONTROL = re.compile(
    r"<\|[A-Za-z0-9_\-/ ]{1,40}\|>|<｜[^<>｜]{1,40}｜>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
    r"|</?(?:think|thinking|tool_call|tool_response|tools|start_of_image|end_of_image|image_soft_token)>"
    r"|\[/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT|IMG|PREFIX|SUFFIX|MIDDLE)\]|<extra_id_\d+>|\[(?:CLS|SEP|PAD|MASK|UNK)\]"
)


class ControlTokens(Looking):
    """Control tokens of the known chat templates, and those of the model's own that a text may hardly hold by chance."""

    code = "gates.control_tokens"
    may_hold = r"[<\[]"

    def __init__(self, gate: Gate, options: Options) -> None:
        super().__init__(gate, options)
        own = _added_tokens(options) if options.encoder else []
        self._own = re.compile("|".join(map(re.escape, own))) if own else None
        self.may_hold = "|".join([self.may_hold, *(re2_escaped(name) for name in own)])

    def look_at(self, split: str, row: str, text: str) -> None:
        found = list(CONTROL.finditer(text)) if "<" in text or "[" in text else []
        if self._own is not None:
            found += self._own.finditer(text)
        if found:
            self.add(split, row, list(dict.fromkeys(match[0] for match in found)), text, found[0].start())


def re2_escaped(text: str) -> str:
    """An expression for this text and no other."""
    return "".join(char if char.isalnum() else rf"\x{{{ord(char):x}}}" for char in text)


def _added_tokens(options: Options) -> list[str]:
    """Special tokens of the model with a mark in them, longest first: a plain word is no control token."""
    assert options.encoder is not None
    added = options.encoder.tokenizer.get_added_tokens_decoder().values()
    names = {token.content for token in added if token.special and re.search(r"[^\w\s]", token.content)}
    return sorted(names, key=lambda name: (-len(name), name))


HTML = re.compile(
    r"</?(?:p|br|div|span|a|b|i|u|em|strong|ul|ol|li|h[1-6]|table|tr|td|th|tbody|thead|img|font|html|body|head|script|style|center"
    r"|blockquote|hr|sup|sub|label|input|form|button|iframe|section|nav|footer)(?:\s[^<>]{0,400})?/?>"
    r"|&(?:nbsp|amp|lt|gt|quot|apos|#\d{1,6}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{1,2}(?:acute|grave|circ|uml|tilde|cedil)|iquest|iexcl"
    r"|euro|hellip|[lr][sd]quo|[mn]dash|laquo|raquo|copy|reg|deg|middot|bull);",
    re.IGNORECASE,
)
RESTS = re.compile(
    r"\{\{[^{}\n]{1,80}\}\}|\{%[^{}\n]{1,80}%\}|(?<![\w$\\{])\{[A-Za-z_][A-Za-z0-9_ ]{0,40}\}(?!\})|<<[A-Za-z_ ]{2,40}>>"
    r"|\$\{[A-Za-z_][\w.]{0,40}\}|\[(?:your|insert|tu|inserte?)\b[^\]\n]{1,40}\]|%[A-Z_]{3,30}%"
)
UNFINISHED = re.compile(r"\blorem ipsum\b|(?<!\w)(?:TODO|FIXME|TBD|XXX)(?!\w)(?!\s+(?:lo|el|los|las|la)\b)")


class Html(Looking):
    code = "gates.html"
    may_hold = "[<&]"

    def look_at(self, split: str, row: str, text: str) -> None:
        if tags := list(HTML.finditer(text)):
            self.add(split, row, list({each[0].split()[0][:20]: 0 for each in tags}), text, tags[0].start())


class TemplateRests(Looking):
    """Open places of templates, and marks of what is not finished."""

    code = "gates.template_rests"
    may_hold = r"[{\[%]|<<|(?i:lorem)|TODO|FIXME|TBD|XXX"

    def look_at(self, split: str, row: str, text: str) -> None:
        match = RESTS.search(text) or UNFINISHED.search(text)
        if match:
            self.add(split, row, [match[0]], text, match.start())


class Encoding(Looking):
    code = "gates.encoding"
    may_hold = MAY_BE_DAMAGED

    def look_at(self, split: str, row: str, text: str) -> None:
        if place := damage(text):
            self.add(split, row, [place.kind], text, place.start)

    def found(self) -> Found | None:
        return self.gate.finding(self.code, self.hits, self.seen, {"lost": self.kinds["lost characters"]})


_TOGETHER = {gate.may_hold for gate in (PersonalData, Secrets, ControlTokens, Encoding)}
_ANY = "|".join(f"(?:{form})" for form in sorted(_TOGETHER))
