"""Check digits and letters of numbers that name a person, an account or a company.

Each function takes the number without separators, letters in upper case, and says whether it is one.
"""

from __future__ import annotations

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_PPS_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"
_CIF_LETTERS = "JABCDEFGHI"
_CARDS = (
    *((("4",), (13, 16, 19)), (tuple(str(n) for n in range(51, 56)), (16,))),
    *((tuple(str(n) for n in range(2221, 2721)), (16,)), (("34", "37"), (15,))),
    *((("6011", "65", *(str(n) for n in range(644, 650))), (16, 19)), (("36", "38", *("300", "301", "305")), (14,))),
    *(((*(str(n) for n in range(3528, 3590)),), (16,)), (("62",), (16, 17, 18, 19))),
    *((("5018", "5020", "5038", "6304", "6759", "6761", "6762", "6763"), (12, 16, 19)),),
)
"""First digits and lengths: Visa, Mastercard, American Express, Discover, Diners Club, JCB, UnionPay, Maestro."""


def is_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(digits: str) -> bool:
    """A payment card of a known network."""
    fits = any(len(digits) in lengths and digits.startswith(starts) for starts, lengths in _CARDS)
    return fits and len(set(digits)) > 1 and is_luhn(digits)


def is_iban(text: str) -> bool:
    """ISO 13616, check digits mod 97."""
    moved = text[4:] + text[:4]
    return 15 <= len(text) <= 34 and text.isalnum() and int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def is_dni(text: str) -> bool:
    """Spanish DNI, 8 digits and a letter, or NIE, X, Y or Z, 7 digits and a letter."""
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return len(text) == 9 and number.isdigit() and text[-1] == _DNI_LETTERS[int(number) % 23]


def is_cif(text: str) -> bool:
    """Spanish CIF of a company, a letter, 7 digits and a digit or letter."""
    digits = text[1:8]
    if len(text) != 9 or not digits.isdigit():
        return False
    odd = sum(sum(map(int, str(2 * int(digit)))) for digit in digits[::2])
    check = (10 - (odd + sum(map(int, digits[1::2]))) % 10) % 10
    return text[8] in (str(check), _CIF_LETTERS[check])


def is_nuss(digits: str) -> bool:
    """Spanish social security number, 12 digits, mod 97."""
    province, number, check = digits[:2], digits[2:10], digits[10:]
    body = int(province + number.lstrip("0")) if number[0] == "0" else int(province + number)
    return len(digits) == 12 and "01" <= province <= "53" and body % 97 == int(check)


def is_ssn(digits: str) -> bool:
    """US social security number: ranges that are given out (SSA, since 2011), known samples aside."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    given = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
    return len(digits) == 9 and given and digits not in ("123456789",)


def is_nino(text: str) -> bool:
    """UK national insurance number: two letters that are given out, 6 digits, A to D."""
    first = text[:2]
    given = (
        not (set(first) & set("DFIUV")) and first[1] != "O" and first not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
    )
    return len(text) == 9 and given and text[2:8].isdigit() and text[8] in "ABCD"


def is_nhs(digits: str) -> bool:
    """NHS number of England, mod 11."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(digits[:9], range(10, 1, -1), strict=True)) % 11
    return len(digits) == 10 and rest != 10 and rest % 11 == int(digits[9])


def is_sin(digits: str) -> bool:
    """Canadian social insurance number, Luhn; none begins with 8."""
    return len(digits) == 9 and digits[0] != "8" and is_luhn(digits)


def is_pps(text: str) -> bool:
    """Irish PPS number: 7 digits, a check letter, maybe one more letter."""
    if not text[:7].isdigit() or len(text) not in (8, 9):
        return False
    extra = 0 if len(text) == 8 or text[8] == "W" else 9 * (ord(text[8]) - 64)
    total = sum(int(digit) * weight for digit, weight in zip(text[:7], range(8, 1, -1), strict=True)) + extra
    return text[7] == _PPS_LETTERS[total % 23]


def is_tfn(digits: str) -> bool:
    """Australian tax file number, mod 11."""
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10)
    return len(digits) == 9 and sum(int(d) * w for d, w in zip(digits, weights, strict=True)) % 11 == 0


def is_medicare(digits: str) -> bool:
    """Australian Medicare number: 10 digits, maybe one more for the person."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9)
    check = sum(int(digit) * weight for digit, weight in zip(digits[:8], weights, strict=True)) % 10
    return len(digits) in (10, 11) and digits[0] in "23456" and check == int(digits[8])
