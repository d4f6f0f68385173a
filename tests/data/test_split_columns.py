"""Columns that decide the split: names of splits in two languages, times as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from backend.core.errors import StudioError
from backend.data.split_columns import given_splits, names_splits, times
from backend.data.split_rows import TEST, TRAIN, VALIDATION

NEW_YEAR = datetime(2026, 1, 31, tzinfo=UTC).timestamp()


def test_a_column_of_splits_is_seen_and_read() -> None:
    values = ["train", "Dev", " TEST ", None, "entrenamiento", "validación", "prueba"]
    assert names_splits(values)
    assert given_splits(values, "part").tolist() == [TRAIN, VALIDATION, TEST, -1, TRAIN, VALIDATION, TEST]


@pytest.mark.parametrize("values", [["train", "train"], ["train", "bus", "test"], ["", None], ["exam", "homework"]])
def test_other_columns_are_none_of_splits(values: list[str | None]) -> None:
    assert not names_splits(values)


def test_a_word_that_is_no_split_is_named() -> None:
    with pytest.raises(StudioError, match="bus"):
        given_splits(["train", "bus"], "vehicle")


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31",
        "2026-01-31T00:00:00Z",
        "31.01.2026",
        "31/1/2026",
        "31-01-26",
        "01/31/2026",
        "Sat, 31 Jan 2026 00:00:00 +0000",
    ]
    + [date(2026, 1, 31), datetime(2026, 1, 31), NEW_YEAR, str(int(NEW_YEAR * 1000))],
)
def test_a_time_however_it_is_written(value: object) -> None:
    read, _ = times([value, "", None], "day")
    assert read[0] == NEW_YEAR and np.isnan(read[1:]).all()


def test_the_order_of_day_and_month_follows_from_all_rows_and_is_said() -> None:
    read, said = times(["03/04/2026", "25/04/2026 10:30"], "day")
    assert read[0] < read[1] and [problem.code for problem in said] == ["split.dates_day_first"]
    read, said = times(["03/04/2026", "04/25/2026"], "day")
    assert read[0] == datetime(2026, 3, 4, tzinfo=UTC).timestamp() and not said


def test_what_may_be_both_is_asked_for() -> None:
    with pytest.raises(StudioError, match="03/04/2026"):
        times(["03/04/2026", "05/06/2026"], "day")
    with pytest.raises(StudioError, match="No value"):
        times(["soon", "later"], "day")
