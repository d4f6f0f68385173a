"""Keys and passwords in texts: forms of known providers, private key blocks, connection strings, assignments.

The forms are those that the providers document (as gitleaks and detect-secrets collect them); where a form is weak, the value
has to look random: its Shannon entropy decides.
"""

from __future__ import annotations

import re
from collections import Counter
from math import log2
from typing import NamedTuple

_LEAST_ENTROPY = 3.0
"""Bits a character of a value after `token=`: words lie below, random base64 of 16 characters and more above."""


class Secret(NamedTuple):
    """A place in a text. `kind`: whose key it is."""

    start: int
    end: int
    kind: str
    key: str


_B = r"(?<![A-Za-z0-9_])"
_KEYS = {
    "AWS": rf"{_B}(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{{16}}(?![A-Za-z0-9])",
    "GitHub": rf"{_B}(?:gh[pousr]_[A-Za-z0-9]{{36,255}}|github_pat_[A-Za-z0-9_]{{40,255}})",
    "GitLab": rf"{_B}gl(?:pat|rt|dt|soat)-[A-Za-z0-9_-]{{20,}}",
    "Slack": rf"{_B}xox[abeoprs]-[A-Za-z0-9-]{{10,}}|hooks\.slack\.com/services/[A-Za-z0-9/]{{20,}}",
    "Anthropic": rf"{_B}sk-ant-[A-Za-z0-9_-]{{20,}}",
    "OpenAI": rf"{_B}sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{{20,}}",
    "Google": rf"{_B}AIza[A-Za-z0-9_-]{{35}}|{_B}ya29\.[A-Za-z0-9_-]{{20,}}|{_B}GOCSPX-[A-Za-z0-9_-]{{20,}}",
    "Hugging Face": rf"{_B}hf_[A-Za-z0-9]{{30,}}",
    "Stripe": rf"{_B}[srp]k_(?:live|test)_[A-Za-z0-9]{{16,}}|{_B}whsec_[A-Za-z0-9]{{24,}}",
    "SendGrid": rf"{_B}SG\.[A-Za-z0-9_-]{{16,}}\.[A-Za-z0-9_-]{{16,}}",
    "Twilio": rf"{_B}(?:AC|SK)[0-9a-f]{{32}}(?![0-9a-f])",
    "npm": rf"{_B}npm_[A-Za-z0-9]{{36}}",
    "PyPI": rf"{_B}pypi-[A-Za-z0-9_-]{{50,}}",
    "Telegram": rf"{_B}\d{{8,10}}:AA[A-Za-z0-9_-]{{33}}",
    "Azure": r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}|[?&]sig=[A-Za-z0-9%]{40,}",
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]{0,8000}?-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----)?",
    "JWT": rf"{_B}eyJ[A-Za-z0-9_-]{{8,}}\.eyJ[A-Za-z0-9_-]{{8,}}\.[A-Za-z0-9_-]{{8,}}",
    "connection string": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"<>]{1,64}:(?P<connection>[^\s@/'\"<>]{3,128})@[^\s/'\"<>]+",
}
_FORMS = {name: re.compile(form) for name, form in _KEYS.items()}
_NAMES = r"password|passwd|passphrase|pwd|contraseñ?a|clave(?: de acceso)?"
_WEAK = r"(?:api|access|secret)[_ -]?key|(?:client[_ -]?)?secret|(?:auth|access)?[_ -]?token|bearer"
_PASSWORD = re.compile(
    rf"(?<![A-Za-z])(?:{_NAMES})[\"']?\s*(?::|=|:=)\s*[\"']?(?P<value>[^\s\"',;<>]{{6,128}})"
    rf"|(?<![A-Za-z])(?:{_NAMES})\s+(?:is|es)\s*:?\s*[\"']?(?P<said>(?=[^\s\"',;<>]*\d)(?=[^\s\"',;<>]*[A-Za-z])[^\s\"',;<>]{{6,128}})",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    rf"(?<![A-Za-z])(?:[A-Za-z_]{{0,20}}[_-])?(?:{_WEAK})[\"']?\s*(?:[:=]|:=|\s)\s*[\"']?(?P<value>[A-Za-z0-9_+/=.~-]{{16,256}})",
    re.IGNORECASE,
)
_KNOWN = re.compile("|".join(f"(?:{form})" for form in _KEYS.values()))
_MARKS = re.compile(
    r"AKIA|ASIA|ABIA|ACCA|gh[pousr]_|github_pat|glpat|glrt|gldt|glsoat|xox|hooks\.slack|sk-|k_live|k_test|whsec|AIza|ya29|GOCSPX"
    r"|hf_|SG\.|AC[0-9a-f]{8}|SK[0-9a-f]{8}|npm_|pypi-|:AA|AccountKey|AccessKey=|sig=|BEGIN |eyJ|://"
)
MAY_BE_SECRET = rf"{_MARKS.pattern}|(?i:passw|passphr|pwd|contrase|clave|secret|token|bearer|(?:api|access)[_ -]?key)"
"""An expression (RE2) that is in every text with a key or password."""
_ASSIGNED = ("passw", "passphr", "pwd", "contrase", "clave", "secret", "token", "bearer")
_ANY_KEY = re.compile("(?:api|access|secret)[_ -]?key")
_HOLDERS = re.compile(
    r"^(?:[*•x.]+|<.*|\[.*|\{.*|\$.*|%.*|your.*|tu[_-].*|my[_-]?password|change.?me.*|example.*|ejemplo.*|null|none|true|false"
    r"|undefined|required|optional|string|password|contraseñ?a|incorrect[ao]?|invalid|wrong|forgotten|reset|secure|segura)[.!?]*$",
    re.IGNORECASE,
)
"""What stands in examples where a password would."""


def secrets(text: str) -> list[Secret]:
    """All places, in their order, none within another."""
    found = [*_known(text)] if _MARKS.search(text) else []
    lower = text.lower()
    if any(word in lower for word in _ASSIGNED) or ("key" in lower and _ANY_KEY.search(lower)):
        found += _assigned(text)
    if not found:
        return []
    kept: list[Secret] = []
    for place in sorted(found, key=lambda each: (each.start, -each.end)):
        if not kept or place.start >= kept[-1].end:
            kept.append(place)
    return kept


def _known(text: str) -> list[Secret]:
    found = []
    for match in _KNOWN.finditer(text):
        kind = next(name for name, form in _FORMS.items() if _fits(form, text, match))
        password = match.groupdict().get("connection")
        if password and _HOLDERS.match(password):
            continue
        start, end = match.span("connection") if password else match.span()
        if len(set(match[0][-12:])) > 3 or password:
            found.append(Secret(start, end, kind, text[start:end]))
    return found


def _fits(form: re.Pattern[str], text: str, match: re.Match[str]) -> bool:
    other = form.match(text, match.start())
    return other is not None and other.end() == match.end()


def _assigned(text: str) -> list[Secret]:
    found = []
    for match in _PASSWORD.finditer(text):
        name = "value" if match["value"] else "said"
        value = match[name].rstrip(".)!?")
        if len(value) >= 6 and not _HOLDERS.match(value) and not value.startswith(("http", "//", "(")):
            found.append(Secret(match.start(name), match.start(name) + len(value), "password", value))
    for match in _TOKEN.finditer(text):
        value = match["value"]
        random = any(char.isdigit() for char in value) and entropy(value) >= _LEAST_ENTROPY
        if random and not _HOLDERS.match(value):
            found.append(Secret(*match.span("value"), "access token", value))
    return found


def entropy(text: str) -> float:
    """Shannon entropy of its characters, in bits a character."""
    counts = Counter(text)
    return -sum(count / len(text) * log2(count / len(text)) for count in counts.values())
