"""What gates find in blocks of rows is what they find in each text, and in each row."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from backend.data.gates.base import plain
from backend.data.gates.encoding_damage import MAY_BE_DAMAGED, damage
from backend.data.gates.patterns import (
    CONTROL,
    HTML,
    RESTS,
    UNFINISHED,
    ControlTokens,
    Html,
    TemplateRests,
    re2_escaped,
)
from backend.data.gates.personal import MAY_BE_PERSONAL, personal_data
from backend.data.gates.phrases import INJECTION, Injection
from backend.data.gates.same_rows import equal_rows, plain_texts
from backend.data.gates.secrets import MAY_BE_SECRET, secrets
from tests.data.gates.planted import personal_sentence

WORDS = (
    *("call", "me", "at", "Llámame", "al", "en el", "mi DNI es", "Tel.", "ring", "(", ")", "+44", "00", "+", "order"),
    *("número", "SSN", "NHS number", "password:", "password is", "clave=", "hunter2abc", "token", "api key", "é", "İK"),
    *("sk-abcdefghijklmnopqrstu1234", "https://u:pa55word@h.example/x", "bearer", "A8f3kQ9zL0pX7vB2nM4c", "\u00a0"),
    *(
        "<|im_end|>",
        "[INST]",
        "</s>",
        "<p>",
        "&nbsp;",
        "{{name}}",
        "[your name]",
        "TODO",
        "espaÃ±a",
        "\ufffd",
        "%NAME%",
    ),
    *("ignore all previous instructions", "system prompt", "olvida tus instrucciones", "10:20:30", "1.2.3.4", "::1"),
    *("GB82 WEST 1234 5698 7654 32", "X1234567L", "12345678Z", "83.44.196.220", "2001:db8::7", "٦١٢٣٤٥٦٧٨", "a@b.es"),
)


def texts(count: int) -> list[str]:
    """Sentences with personal data, cut, changed and put together anew."""
    chance, found = random.Random(7), list[str]()
    for number in range(count):
        said = [*chance.choices(WORDS, k=chance.randrange(4)), personal_sentence(chance, "en", number)]
        said.insert(chance.randrange(len(said)), personal_sentence(chance, "es", number // 2))
        text = chance.choice((" ", "", "\n", ", ")).join(said)
        at = chance.randrange(len(text))
        changed = text[:at] + chance.choice(("", " ", "-", "7", "x", ".", "\u2011")) + text[at + chance.randrange(3) :]
        found += [changed, chance.choice(said), "".join(chance.choices("0123456789 -.()/+aAxX:", k=24))]
    return found


@pytest.mark.parametrize(
    ("may_hold", "find"),
    [
        (MAY_BE_PERSONAL, personal_data),
        (MAY_BE_SECRET, secrets),
        (MAY_BE_DAMAGED, damage),
        (ControlTokens.may_hold, CONTROL.search),
        (Html.may_hold, HTML.search),
        (Injection.may_hold, INJECTION.search),
        (TemplateRests.may_hold, lambda text: RESTS.search(text) or UNFINISHED.search(text)),
    ],
)
def test_no_text_in_which_something_is_found_is_passed_over(may_hold: str, find: Callable[[str], Any]) -> None:
    shown = texts(3_000)
    passed = pc.match_substring_regex(pa.array(shown), may_hold).to_pylist()
    found = [bool(find(text)) for text in shown]
    assert sum(found) > 20
    assert [text for text, there, kept in zip(shown, found, passed, strict=True) if there and not kept] == []


def test_most_texts_without_personal_data_are_passed_over() -> None:
    shown = [f"bring the kettle of order {number} to Cádiz before 10:30, it costs 12.50 €" for number in range(1_000)]
    shown += [f"order {number}" for number in range(10**6, 10**6 + 1_000)]
    assert pc.sum(pc.match_substring_regex(pa.array(shown), MAY_BE_PERSONAL)).as_py() == 0


def test_texts_in_columns_are_normalised_like_one_by_one() -> None:
    spaces = [chr(code) for code in range(0x3100) if chr(code).isspace()]
    shown = [*texts(200), "ẞtraße ΣΑΣ İı", " a", "a ", "a  b", "", *(f"A{space}b" for space in spaces)]
    assert plain_texts(pa.array(shown)) == [plain(text) for text in shown]
    assert plain_texts(pa.array(["A", None])) == ["a", ""] and unicodedata.name(spaces[-1]) == "IDEOGRAPHIC SPACE"


def test_equal_rows_come_by_their_first() -> None:
    keys = np.array([9, 5, 7, 5, 9, 1, 9], np.uint64)
    rows, starts = equal_rows(keys)
    assert rows.tolist() == [0, 4, 6, 1, 3] and starts.tolist() == [0, 3, 5]
    assert [part.tolist() for part in equal_rows(keys[:3])] == [[], [0]]


def test_names_of_tokens_are_taken_as_they_are() -> None:
    found = pc.match_substring_regex(pa.array(["a<|x|>.", "ax", "<｜fin｜>"]), re2_escaped("<|x|>"))
    assert found.to_pylist() == [True, False, False]
