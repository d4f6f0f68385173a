"""Numbers of answers are compared as numbers, not as they are written."""

from __future__ import annotations

import pytest

from backend.stats.numbers import same_numbers


@pytest.mark.parametrize(
    ("expected", "given", "same"),
    [
        ("It weighs 626 g.", "It weighs 455 g.", False),
        ("It weighs 626 g.", "The weight: 626 g", True),
        ("1,200 pieces at 2.50", "2,5 each, 1.200 of them", True),
        ("1,234,567", "1234567", True),
        ("Open until 18:00", "Open until 18:30", False),
        ("626 g", "626 g or 455 g", False),
        ("20 cm", "about twenty", False),
        ("30", "3", False),
        ("No number here", "but 7 here", None),
    ],
)
def test_numbers_are_the_same(expected: str, given: str, same: bool | None) -> None:
    assert same_numbers(expected, given) is same
