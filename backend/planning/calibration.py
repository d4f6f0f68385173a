"""What earlier runs on this machine say of a quote: how much longer or shorter such work takes than the stage estimates, and
how far apart runs are.

Left out are runs beside much other work, runs that were tiny next to what is asked, and answers out of the cache. The middle
is a median of logarithms, pulled towards the stage's own estimate while there are few runs, so that no single run moves it far.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from backend.core.schemas import JobView, Quote

RUNS = 15
"""The last ones that are looked at."""
BUSY_SHARE = 0.2
"""Of the machine's cores: with more taken by others, a run says nothing of the next one."""
TINY = 0.25
"""Share of the asked estimate below which a run is mostly its start."""
LIMITS = (0.25, 4.0)
UNKNOWN_LIMIT = 2.0
"""The most that counts of a run whose machine may have been busy: nobody measured it."""
LOW, HIGH = 0.28, 1.12
"""First and last tenth of time : estimate without calibration: 27 medians, of eleven stages in eight homes (45 runs)."""
LEAST_SPREAD = 0.3
"""Of logarithms: equal work on the reference machine differs by a third either way, however alike the last runs were."""
_TENTH = 1.2816 * 1.4826
"""From a median absolute deviation to the distance of the first and the last tenth of a normal distribution."""


@dataclass(frozen=True)
class Calibration:
    """Factors of a stage's own estimate: the middle, and between which most runs end (31 of the 43 in the tests). `runs`: on
    how many earlier ones it rests."""

    stretch: float = 1.0
    low: float = LOW
    high: float = HIGH
    runs: int = 0

    def of(self, quote: Quote) -> Quote:
        return quote.model_copy(
            update={
                "seconds": quote.seconds * self.stretch,
                "stretch": self.stretch,
                "runs": self.runs,
                "least_seconds": quote.seconds * self.low,
                "most_seconds": quote.seconds * self.high,
            }
        )


def calibrate(jobs: Iterable[JobView], estimate: float) -> Calibration:
    """From the last finished jobs of a stage, newest first, for a stage that estimates its work at so many seconds."""
    logs = [log for job in list(jobs)[:RUNS] if (log := _log_ratio(job, estimate)) is not None]
    if not logs:
        return Calibration()
    weight = len(logs) / (len(logs) + 1)
    middle = median(logs)
    spread = max(LEAST_SPREAD, median([abs(log - middle) for log in logs]) * _TENTH)

    def pulled(towards: float, own: float) -> float:
        return math.exp((1 - weight) * math.log(towards) + weight * own)

    return Calibration(pulled(1.0, middle), pulled(LOW, middle - spread), pulled(HIGH, middle + spread), len(logs))


def _log_ratio(job: JobView, estimate: float) -> float | None:
    """The logarithm of its time : estimate; None when it says nothing."""
    if not job.seconds or not job.quote or job.quote.seconds <= 0 or job.result.get("metrics", {}).get("cached"):
        return None
    own = job.quote.seconds / job.quote.stretch
    if own < estimate * TINY or (job.others_share or 0.0) > BUSY_SHARE:
        return None
    most = UNKNOWN_LIMIT if job.others_share is None else LIMITS[1]
    return math.log(min(most, max(LIMITS[0], job.seconds / own)))
