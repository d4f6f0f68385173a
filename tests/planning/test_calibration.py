"""What a quote learns from earlier runs, with the times of real ones: `[home, stage, seconds, the stage's own estimate]` of 43
runs in six homes on the reference machine, in each home in their order. Nobody measured what else ran."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.core.schemas import JobView, Quote, State, whole_range
from backend.planning.calibration import HIGH, LOW, calibrate

RUNS = json.loads(Path(__file__).with_name("runs_of_the_reference_machine.json").read_text("utf-8"))


def run(
    seconds: float, estimate: float, stretch: float = 1.0, others: float | None = 0.0, cached: bool = False
) -> JobView:
    quote = Quote(seconds=estimate * stretch, memory_bytes=1, disk_bytes=1, stretch=stretch)
    return JobView(
        id="j",
        run_id="r",
        stage_id="s",
        stage="finetune",
        params={},
        project="p",
        state=State.SUCCEEDED,
        queue="cpu",
        priority=5,
        attempts=1,
        needs=[],
        quote=quote,
        seconds=seconds,
        others_share=others,
        result={"metrics": {"cached": 1}} if cached else {},
        created=datetime.now(UTC),
    )


def test_without_runs_the_estimate_stands_in_a_wide_range() -> None:
    found = calibrate([], 100)
    assert (found.stretch, found.low, found.high, found.runs) == (1.0, LOW, HIGH, 0)


def test_the_short_run_of_the_walk_no_longer_moves_a_long_quote() -> None:
    """Ten steps beside a busy machine once made 2 min 27 s of a form into 6 min 21 s."""
    assert calibrate([run(32.22, 11.32, others=0.9)], 147).stretch == 1.0, "busy"
    assert calibrate([run(32.22, 11.32, others=0.0)], 147).stretch == 1.0, "tiny next to what is asked"
    assert calibrate([run(32.22, 11.32, others=None)], 12).stretch <= math.sqrt(2.0), "nobody measured the load"


def test_a_busy_machine_does_not_make_quotes_longer() -> None:
    """Even when most of the last runs were made beside other work."""
    quiet = [run(75, 100)] * 3
    busy = [run(390, 100, others=0.5)] * 9
    assert calibrate([*busy, *quiet], 100) == calibrate(quiet, 100)
    assert calibrate([run(390, 100, others=None), *quiet], 100).stretch < 0.9


def test_a_machine_that_is_slow_by_itself_is_learned() -> None:
    slow = calibrate([run(300, 100)] * 6, 100)
    assert 2.3 < slow.stretch < 3.0 and slow.low < slow.stretch < slow.high
    again = calibrate([run(300, 100 * slow.stretch / slow.stretch, stretch=slow.stretch)] * 6, 100)
    assert again == slow, "a quote that was stretched already counts by its own estimate"


def test_the_range_gets_narrower_with_runs_that_agree() -> None:
    widths = [found.high / found.low for count in (0, 1, 4, 12) if (found := calibrate([run(70, 100)] * count, 100))]
    assert widths == sorted(widths, reverse=True) and widths[-1] < 2.2


@pytest.mark.parametrize("odd", [run(0.0, 100), run(70, 100, cached=True)])
def test_runs_that_say_nothing_are_left_out(odd: JobView) -> None:
    assert calibrate([odd], 100).runs == 0


def test_real_runs_end_within_their_quotes() -> None:
    """Each run quoted from those before it, as the studio would have done."""
    before: dict[tuple[int, str], list[JobView]] = defaultdict(list)
    inside, errors, plain = 0, [], []
    for home, stage, seconds, estimate in RUNS:
        found = calibrate(before[home, stage], estimate)
        inside += found.low <= seconds / estimate <= found.high
        errors.append(abs(math.log(seconds / estimate / found.stretch)))
        plain.append(abs(math.log(seconds / estimate)))
        before[home, stage].insert(0, run(seconds, estimate, others=None))
    assert inside / len(RUNS) >= 0.7, inside
    assert sorted(errors)[len(errors) // 2] < 0.7 * sorted(plain)[len(plain) // 2]


def test_stages_one_after_another_have_a_narrower_range_than_their_sum() -> None:
    quotes = [Quote(seconds=100, memory_bytes=1, disk_bytes=1, least_seconds=60, most_seconds=150) for _ in range(4)]
    assert whole_range(quotes) == (pytest.approx(320), pytest.approx(500))
