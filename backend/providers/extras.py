"""Headers and body fields that a user adds to every request of an endpoint. Secrets stand there as references only:
`${NAME_API_KEY}` for an environment variable, `${key}` for the endpoint's own key."""

from __future__ import annotations

import json
import re
from typing import Any

from backend.core.errors import Problem
from backend.data.gates.secrets import secrets
from backend.providers.addresses import check_key_name
from backend.providers.variables import secret

OWN_KEY = "key"
MAX_HEADERS, MAX_CHARS = 20, 4000
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_TRANSPORT = {
    *(
        "host",
        "connection",
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "accept-encoding",
    ),
    *("te", "trailer", "upgrade", "expect", "keep-alive"),
}
_SECRET_NAMES = re.compile(r"auth|key|token|secret|cookie|password|credential|signature", re.IGNORECASE)
_OURS = {
    *("model", "messages", "system", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature"),
    *("top_p", "seed", "tools", "logprobs", "top_logprobs", "n"),
}
"""Body fields that the studio sets itself."""


def parse_headers(given: dict[str, str] | str) -> dict[str, str]:
    """Headers from text with `Name: value` on each line; a line that is none stays as a name, which `check_headers` names."""
    if not isinstance(given, str):
        return given
    pairs = (line.partition(":") for line in given.splitlines() if line.strip())
    return {name.strip() if colon else f"{name} ": value.strip() for name, colon, value in pairs}


def parse_body(given: dict[str, Any] | str) -> dict[str, Any] | None:
    """Body fields from a text of JSON, {} for an empty one; None for what is no object."""
    if not isinstance(given, str):
        return given
    try:
        found = json.loads(given) if given.strip() else {}
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def variables_in(headers: dict[str, str]) -> set[str]:
    """The environment variables that added headers refer to."""
    return {name for value in headers.values() for name in _REFERENCE.findall(value)} - {OWN_KEY}


def check_headers(headers: dict[str, str], field: str = "headers") -> list[Problem]:
    """What is wrong with added headers, the first of each kind of fault."""
    if len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers.items()) > MAX_CHARS:
        return [Problem(code="wire.extras_long", field=field)]
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not all(" " <= letter <= "~" for letter in value):
            return [Problem(code="wire.header_form", args={"name": name.strip()[:40]}, field=field)]
        if name.lower() in _TRANSPORT:
            return [Problem(code="wire.field_ours", args={"name": name}, field=field)]
        references = _REFERENCE.findall(value)
        if problems := [each for one in references if one != OWN_KEY for each in check_key_name(one, field)]:
            return problems
        bare = _REFERENCE.sub("", value)
        if secrets(bare) or (_SECRET_NAMES.search(name) and not references):
            return [Problem(code="wire.header_secret", args={"name": name}, field=field)]
    return []


def check_body(body: dict[str, Any], field: str = "body") -> list[Problem]:
    """What is wrong with added body fields."""
    if taken := sorted(_OURS & body.keys()):
        return [Problem(code="wire.field_ours", args={"name": taken[0]}, field=field)]
    text = json.dumps(body, ensure_ascii=False)
    if len(text) > MAX_CHARS:
        return [Problem(code="wire.extras_long", field=field)]
    return [Problem(code="wire.body_secret", field=field)] if secrets(text) else []


def resolved(headers: dict[str, str], key: str) -> tuple[dict[str, str], list[str], str]:
    """(headers as they are sent, the secrets in them, the first variable that is not set or "")."""
    found: list[str] = []
    missing = ""

    def filled(match: re.Match[str]) -> str:
        nonlocal missing
        name = match[1]
        value = key if name == OWN_KEY else secret(name)
        missing = missing or ("" if value else name)
        found.append(value)
        return value

    sent = {name: _REFERENCE.sub(filled, text) for name, text in headers.items()}
    return sent, [each for each in found if each], missing
