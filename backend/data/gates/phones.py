"""Telephone numbers in texts, by `phonenumbers`: international ones, and those of Spain, the United States and Britain.

A run of digits is much more often an order, a date or a price. So one without a country code counts when it is written as a
telephone number is, or when a word before it says so; never after a word for an order or an amount.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

REGIONS = ("ES", "US", "GB")
_CANDIDATE = re.compile(
    r"(?<![\w.,:/#@€$£+-])(?:\+|00|\(\+?)?\d(?:[ ().\-/\u00a0\u2011\u2013]{0,3}\d){6,14}"
    r"(?![\w@%€$£]|[.,:/-]\d|\s?(?:EUR|USD|GBP)\b)"
)
_SAYS_PHONE = re.compile(
    r"(?<!\w)(?:tele|mobile )?(?:phone|tel|telf|tlf|tfno|mobile|cell|call(?:ed|ing)?|ring|text|fax"
    r"|whats?app|sms|contact|reach|dial|number is"
    r"|tel[eé]fonos?|m[oó]vil|celular|ll[aá]m\w*|contact\w*|marc[ae]\w*|extensi[oó]n|fijo"
    r"|(?:my|mi) n(?:umber|[uú]mero))\b[^\d]{0,25}$"
    r"|(?<!\w)(?:al|en el)\s$",
    re.IGNORECASE,
)
_SAYS_OTHER = re.compile(
    r"(?<!\w)(?:order|orders|invoice|ticket|tracking|reference|ref|case|account|policy|serial|isbn|issn|sku|item|product|part|code"
    r"|batch|lot|id|no|nr|version|build|amount|total|price|paid|population|model|card|nhs|ssn|sin|tfn|medicare|imei|booking"
    r"|pedidos?|factura|n[uú]mero de (?:pedido|serie|cuenta|factura|seguimiento|referencia)|referencia|seguimiento|env[ií]o"
    r"|expediente|c[oó]digo|cuenta|p[oó]liza|art[ií]culo|producto|lote|importe|precio|habitantes|reserva|tarjeta|clientes?|customer|client|user|member|usuario|socio|socia|parcel|paquete|shipment)"
    r"(?:\s+(?:number|no|num|n[uú]mero|es|is|was|id))?[\s.:#º°nN-]{0,6}$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"^(?:\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?!\d)|^(?:19|20)\d{2}\s?[-–]\s?(?:19|20)\d{2}$"
)
_FORMS = (
    (
        "ES",
        re.compile(
            r"[679]\d{2}(?P<s>[ .-])\d{3}(?P=s)\d{3}|[679]\d{2}([ .-])\d{2}\2\d{2}\2\d{2}"
            r"|9\d[ .-]\d{3}[ .-]?\d{2}[ .-]?\d{2}"
        ),
    ),
    ("US", re.compile(r"(?:1[ .-])?\(\d{3}\)[ .-]?\d{3}[ .-]?\d{4}|(?:1[ .-])?\d{3}(?P<s>[.-])\d{3}(?P=s)\d{4}")),
    ("GB", re.compile(r"\(?0\d{2,4}\)?[ -]\d{3,4}[ -]?\d{3,4}|07\d{3}[ -]?\d{3}[ -]?\d{3}")),
)
"""How numbers without a country code are written."""


_WORDS = (
    r"phone|telf?|tlf|tfno|mobile|cell|call(?:ed|ing)?|ring|text|fax|whats?app|sms|contact|reach|dial|number is"
    r"|tel[eé]fonos?|m[oó]vil|celular|ll[aá]m|marc[ae]|extensi[oó]n|fijo|n(?:umber|[uú]mero)|al|en el"
)
_SEVEN = r"\p{Nd}(?:[ ().\-/\x{a0}\x{2011}\x{2013}]{0,3}\p{Nd}){6}"
MAY_BE_PHONE = rf"(?:\+|00|\()\+?{_SEVEN}|(?is:(?:^|[^a-z0-9_])(?:{_WORDS}).{{0,45}}{_SEVEN})"
"""An expression (RE2) that, beside nine digits in a row, is in every text with a telephone number."""


def phones(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, the number with its country code)."""
    for match in _CANDIDATE.finditer(text):
        written = match[0].rstrip()
        if _DATE.match(written) and not written.startswith(("+", "00")):
            continue
        before = text[max(0, match.start() - 45) : match.start()]
        start = match.start()
        if written.startswith("(") and ")" not in written:
            written, start = written[1:], start + 1
        if number := _number(written, bool(_SAYS_PHONE.search(before)), bool(_SAYS_OTHER.search(before))):
            yield start, start + len(written), number


@lru_cache(maxsize=4096)
def _number(written: str, said: bool, other: bool) -> str:
    """In the form +34612345678, "" when it is none. `said`: a word says that it is one; `other`: that it is not."""
    if written.startswith(("+", "(+")):
        return _parsed(written, None, possible=said)
    if written.startswith("00"):
        return _parsed("+" + written[2:], None, possible=False)
    if other:
        return ""
    for region, form in _FORMS:
        if form.fullmatch(written) and (found := _parsed(written, region, possible=said)):
            return found
    if not said:
        return ""
    return next((found for region in REGIONS if (found := _parsed(written, region, possible=False))), "")


def _parsed(text: str, region: str | None, possible: bool) -> str:
    """`possible`: numbers that could be but are not given out count too."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    fictional = str(number.national_number).startswith(("7700900", "2079460", "1632960"))
    good = phonenumbers.is_valid_number(number) or ((possible or fictional) and phonenumbers.is_possible_number(number))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if good else ""
