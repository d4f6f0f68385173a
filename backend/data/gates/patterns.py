"""Gates that look for patterns in the texts of each row: personal data, secrets, control tokens, rests of pages and templates,
damaged encoding, phrases that command a model, answers that decline."""

from __future__ import annotations

import re
from collections import Counter

from backend.core.messages.words import PERSONAL
from backend.data.dataset import Row
from backend.data.gates.base import Found, Gate, Options, excerpt
from backend.data.gates.encoding_damage import damage
from backend.data.gates.personal import personal_data
from backend.data.gates.secrets import secrets


class _Looking:
    """Collects the rows in which something is found, and counts what it is."""

    code = ""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.hits, self.kinds, self.seen = options.hits(), Counter[str](), 0

    def add(self, split: str, row: Row, kinds: list[str], text: str, at: int = 0) -> None:
        """A row that holds these kinds of things, the first one at the place `at` of `text`."""
        self.kinds.update(kinds)
        detail = ", ".join(dict.fromkeys(kinds))
        self.hits.add(split, row.id, excerpt(text, at), detail=detail[:200])

    def found(self) -> Found | None:
        shown = ", ".join(f"{kind} ({count})" for kind, count in self.kinds.most_common(6))
        return self.gate.finding(self.code, self.hits, self.seen, {"found": shown})


class PersonalData(_Looking):
    code = "gates.personal"

    def see(self, split: str, row: Row, text: str) -> None:
        self.seen += 1
        if places := personal_data(text):
            self.add(split, row, [PERSONAL[place.kind] for place in places], text, places[0].start)


class Secrets(_Looking):
    code = "gates.secrets"

    def see(self, split: str, row: Row, text: str) -> None:
        self.seen += 1
        if places := secrets(text):
            self.add(split, row, [place.kind for place in places], text, places[0].start)


CONTROL = re.compile(
    r"<\|[A-Za-z0-9_\-/ ]{1,40}\|>|<｜[^<>｜]{1,40}｜>|</?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
    r"|</?(?:think|thinking|tool_call|tool_response|tools|start_of_image|end_of_image|image_soft_token)>"
    r"|\[/?(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT|IMG|PREFIX|SUFFIX|MIDDLE)\]|<extra_id_\d+>|\[(?:CLS|SEP|PAD|MASK|UNK)\]"
)


class ControlTokens(_Looking):
    """Control tokens of the known chat templates, and those of the model's own that a text may hardly hold by chance."""

    code = "gates.control_tokens"

    def __init__(self, gate: Gate, options: Options) -> None:
        super().__init__(gate, options)
        own = _added_tokens(options) if options.encoder else []
        self._own = re.compile("|".join(map(re.escape, own))) if own else None

    def see(self, split: str, row: Row, text: str) -> None:
        self.seen += 1
        found = list(CONTROL.finditer(text)) if "<" in text or "[" in text else []
        if self._own is not None:
            found += self._own.finditer(text)
        if found:
            self.add(split, row, list(dict.fromkeys(match[0] for match in found)), text, found[0].start())


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
_RESTS = re.compile(
    r"\{\{[^{}\n]{1,80}\}\}|\{%[^{}\n]{1,80}%\}|(?<![\w$\\{])\{[A-Za-z_][A-Za-z0-9_ ]{0,40}\}(?!\})|<<[A-Za-z_ ]{2,40}>>"
    r"|\$\{[A-Za-z_][\w.]{0,40}\}|\[(?:your|insert|tu|inserte?)\b[^\]\n]{1,40}\]|%[A-Z_]{3,30}%"
)
_UNFINISHED = re.compile(r"\blorem ipsum\b|(?<!\w)(?:TODO|FIXME|TBD|XXX)(?!\w)(?!\s+(?:lo|el|los|las|la)\b)")


class Html(_Looking):
    code = "gates.html"

    def see(self, split: str, row: Row, text: str) -> None:
        self.seen += 1
        if ("<" in text or "&" in text) and (match := HTML.search(text)):
            self.add(
                split, row, list({each[0].split()[0][:20]: 0 for each in HTML.finditer(text)}), text, match.start()
            )


class TemplateRests(_Looking):
    """Open places of templates, and marks of what is not finished."""

    code = "gates.template_rests"

    def see(self, split: str, row: Row, text: str) -> None:
        self.seen += 1
        match = _RESTS.search(text) if "{" in text or "<<" in text or "[" in text or "%" in text else None
        match = match or _UNFINISHED.search(text)
        if match:
            self.add(split, row, [match[0]], text, match.start())


class Encoding(_Looking):
    code = "gates.encoding"

    def see(self, split: str, row: Row, text: str) -> None:
        self.seen += 1
        if not text.isascii() and (place := damage(text)):
            self.add(split, row, [place.kind], text, place.start)

    def found(self) -> Found | None:
        return self.gate.finding(self.code, self.hits, self.seen, {"lost": self.kinds["lost characters"]})
