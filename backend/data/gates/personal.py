"""Personal data in texts, English and Spanish: patterns with checksums, no model. Names and addresses are not looked for.

Numbers that many things have (nine or ten digits) count where a word near them says what they are, or where their form does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from backend.data.gates import checksums
from backend.data.gates.phones import MAY_BE_PHONE, phones

NEAR = 40
"""Characters before and after a number within which a word says what it is."""


class Personal(NamedTuple):
    """A place in a text. `kind`: a key of `backend.core.messages.words.PERSONAL`; `key`: the same for the same value,
    however it is written."""

    start: int
    end: int
    kind: str
    key: str


class _Pattern(NamedTuple):
    """`near`: a word that has to stand near it; `check`: whether it is one, by its letters and digits alone."""

    kind: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool]
    near: re.Pattern[str] | None = None


def _near(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


_START, _END = r"(?<![\w.,/@+-])", r"(?![\w@/]|[.,-]\d)"
_EMAIL = re.compile(r"[\w.+%'-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}[^\W\d_]{2,24}(?![\w@])")
_FILES = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|pdf|py|js|ts|css|html?|json|zip)$", re.IGNORECASE)
_PATTERNS = (
    _Pattern("iban", re.compile(rf"{_START}[A-Z]{{2}}\d{{2}}(?:[ -]?[A-Z0-9]){{11,30}}{_END}"), checksums.is_iban),
    _Pattern("card", re.compile(rf"{_START}\d(?:[ -]?\d){{11,18}}{_END}"), checksums.is_card),
    _Pattern(
        "dni",
        re.compile(
            rf"{_START}(?:\d{{8}}|\d{{2}}(?P<s>[. ])\d{{3}}(?P=s)\d{{3}}|[XYZxyz][ -]?\d{{7}})[ -]?[A-Za-z]{_END}"
        ),
        checksums.is_dni,
    ),
    _Pattern(
        "nuss",
        re.compile(rf"{_START}\d{{2}}[ /-]?\d{{8}}[ /-]?\d{{2}}{_END}"),
        checksums.is_nuss,
        _near(r"NU?SS|seguridad social|afiliaci[oó]n"),
    ),
    _Pattern(
        "cif",
        re.compile(rf"{_START}[ABCDEFGHJNPQRSUVW][ -]?\d{{7}}[ -]?[0-9A-J]{_END}"),
        checksums.is_cif,
        _near(r"CIF|NIF|S\.?L\.?U?\.?|S\.?A\.?|empresa|raz[oó]n social"),
    ),
    _Pattern("ssn", re.compile(rf"{_START}\d{{3}}-\d{{2}}-\d{{4}}{_END}"), checksums.is_ssn),
    _Pattern(
        "ssn",
        re.compile(rf"{_START}\d{{3}}[ -]?\d{{2}}[ -]?\d{{4}}{_END}"),
        checksums.is_ssn,
        _near(r"SSN|social security|seguro social"),
    ),
    _Pattern(
        "nino",
        re.compile(rf"{_START}[A-Za-z]{{2}}[ -]?\d{{2}}[ -]?\d{{2}}[ -]?\d{{2}}[ -]?[A-Da-d]{_END}"),
        checksums.is_nino,
    ),
    _Pattern("nhs", re.compile(rf"{_START}\d{{3}}[ -]?\d{{3}}[ -]?\d{{4}}{_END}"), checksums.is_nhs, _near("NHS")),
    _Pattern(
        "sin",
        re.compile(rf"{_START}\d{{3}}[ -]?\d{{3}}[ -]?\d{{3}}{_END}"),
        checksums.is_sin,
        _near(r"(?-i:(?<![A-ZÁÉÍÓÚÑ]{2} )(?:SIN|NAS))|social insurance"),  # “sin” is Spanish for “without”
    ),
    _Pattern("pps", re.compile(rf"{_START}\d{{7}}[A-Wa-w][A-IWa-iw]?{_END}"), checksums.is_pps),
    _Pattern(
        "tfn",
        re.compile(rf"{_START}\d{{3}}[ -]?\d{{3}}[ -]?\d{{3}}{_END}"),
        checksums.is_tfn,
        _near("TFN|tax file"),
    ),
    _Pattern(
        "medicare",
        re.compile(rf"{_START}\d{{4}}[ -]?\d{{5}}[ -]?\d(?:[ /-]?\d)?{_END}"),
        checksums.is_medicare,
        _near("Medicare"),
    ),
)
_IPV4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")
_VERSION = re.compile(
    r"\bv\W{0,2}$|\b(?:versi[oó]n(?:es)?|versions|ver|build|firmware|release|driver|kernel|update|actualizaci[oó]n|section"
    r"|secci[oó]n|chapter|cap[ií]tulo)\b",
    re.IGNORECASE,
)
_SAYS_ADDRESS = re.compile(
    r"\b(?:IPs?|IPv4|address(?:es)?|direcci[oó]n|host|server|servidor|login|logged|acceso|ping|desde|from|client)\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"\d(?:(?:[^\W\d_]{0,2}[ ().:/-]{0,2}\d){6}|\d[A-Za-z]|\d[ -]?\d{2}[ -]?\d{2}[ -]?[A-Da-d])",
)
"""Seven digits that may belong together, or the form of a British insurance number: without them no number is looked for."""


_D = r"\p{Nd}"
MAY_BE_PERSONAL = "|".join(
    (
        "@",
        MAY_BE_PHONE,
        rf"{_D}(?:[ ./()-]{{0,2}}{_D}){{8}}",
        rf"{_D}{{7,8}}[ -]?[A-Za-z]|{_D}{{2}}[. ]{_D}{{3}}[. ]{_D}{{3}}[ -]?[A-Za-z]|[A-Zx-z][ -]?{_D}{{7}}[ -]?[0-9A-Za-z]",
        rf"[A-Za-z]{{2}}[ -]?{_D}{{2}}[ -]?{_D}{{2}}[ -]?{_D}{{2}}[ -]?[A-Da-d]|[A-Z]{{2}}{_D}{{2}}(?:[ -]?[A-Z0-9]){{11}}",
        rf"{_D}{{1,3}}(?:\.{_D}{{1,3}}){{3}}|:[0-9a-fA-F]{{0,4}}:",
    )
)
"""An expression (RE2) that is in every text with personal data: the forms above without what stands around them, those of nine
digits and more as one."""


def personal_data(text: str) -> list[Personal]:
    """All places, in their order, none within another."""
    found = list(_emails(text)) if "@" in text else []
    if _DIGITS.search(text):
        found += [*_numbered(text), *phones_of(text)]
    if text.count(".") >= 3 or text.count(":") >= 2:
        found += _addresses(text)
    return _apart(found) if found else found


def phones_of(text: str) -> Iterator[Personal]:
    yield from (Personal(start, end, "phone", key) for start, end, key in phones(text))


def _emails(text: str) -> Iterator[Personal]:
    for match in _EMAIL.finditer(text):
        value = match[0].lstrip(".'-")
        if not value.startswith("@") and not _FILES.search(value):
            yield Personal(match.end() - len(value), match.end(), "email", value.casefold())


def _numbered(text: str) -> Iterator[Personal]:
    for kind, pattern, check, near in _PATTERNS:
        for match in pattern.finditer(text):
            value = re.sub(r"[\W_]", "", match[0]).upper()
            if near and not near.search(text[max(0, match.start() - NEAR) : match.end() + NEAR]):
                continue
            if check(value):
                yield Personal(match.start(), match.end(), kind, value)
            elif kind == "iban" and (shorter := _shorter_iban(match[0])):
                yield Personal(match.start(), match.start() + len(shorter), kind, re.sub(r"\W", "", shorter))


def _shorter_iban(text: str) -> str:
    """The longest beginning that is one: a word in capitals may follow it. "" for none."""
    for end in range(len(text) - 1, 14, -1):
        if text[end - 1].isalnum() and text[end] == " " and checksums.is_iban(re.sub(r"\W", "", text[:end])):
            return text[:end]
    return ""


def _addresses(text: str) -> Iterator[Personal]:
    """Public addresses of machines; versions, times and private networks are none."""
    for match in _IPV4.finditer(text):
        parts = [int(part) for part in match[0].split(".")]
        before = text[max(0, match.start() - NEAR) : match.start()]
        version = _VERSION.search(before) or (max(parts) < 100 and min(parts) < 10 and not _SAYS_ADDRESS.search(before))
        try:
            if not version and IPv4Address(match[0]).is_global:
                yield Personal(match.start(), match.end(), "ip", match[0])
        except AddressValueError:
            continue
    for match in _IPV6.finditer(text):
        try:
            address = IPv6Address(match[0])
        except AddressValueError:
            continue
        documented = address.compressed.startswith("2001:db8")
        if (address.is_global or documented) and any(char.isdigit() for char in match[0]):
            yield Personal(match.start(), match.end(), "ip", address.compressed)


def _apart(found: list[Personal]) -> list[Personal]:
    """Of places that overlap the first and longest."""
    kept: list[Personal] = []
    for place in sorted(found, key=lambda each: (each.start, -each.end)):
        if not kept or place.start >= kept[-1].end:
            kept.append(place)
    return kept
