"""What answers cost on one's own machine, against a hosted model: pure functions, all money in USD.

Prices are entered or come from a saved endpoint; pace and tokens are measured. What nobody has entered is one of `Assumptions`'
defaults, each with where it comes from. Not counted: people, cooling, network, taxes, and what else the machine is used for.
"""

from __future__ import annotations

from math import ceil, inf

from backend.core.schemas import ArtifactView, View
from backend.models import costs
from backend.results.evaluations import EvaluationView, metric_ratio
from backend.results.load_tests import LoadTest
from backend.results.run_result import RunResult

DAYS_PER_YEAR = 365.0
DAYS_PER_MONTH = DAYS_PER_YEAR / 12
TARGETS = {"time": 0.85, "memory": 0.95, "quality": 0.92}
"""What courses on small models promise of distillation: 85 % less time and 95 % less memory than the teacher, 92 % of its
quality kept."""


class Assumptions(View):
    """What a buyer enters. The defaults are round figures to begin with, not quotes: `machine_price`: an office computer;
    `watts`: what such a one draws under load; `electricity_price` per kWh: a middle price for households; `lifetime_years`:
    over which firms commonly write computers off; `hours_per_day`: how long it is switched on; `answers_per_day`: what is
    asked of it."""

    machine_price: float = 1000.0
    watts: float = 100.0
    electricity_price: float = 0.25
    lifetime_years: float = 3.0
    hours_per_day: float = 24.0
    answers_per_day: float = 1000.0


class Hosted(View):
    """Prices of a hosted model, USD per million tokens, and the tokens of an answer with its prompt."""

    input_price: float
    output_price: float
    prompt_tokens: float
    answer_tokens: float

    @property
    def per_answer(self) -> float:
        """(prompt tokens x input price + answer tokens x output price) / 1,000,000."""
        return (self.prompt_tokens * self.input_price + self.answer_tokens * self.output_price) / 1e6


class Pace(View):
    """What one machine was measured to do: answers a second, tokens of a prompt and an answer; `users`: the most clients at
    once within the latency limit, None where no load test says it and one answer was timed after another."""

    answers_per_s: float
    prompt_tokens: float
    answer_tokens: float
    users: int | None = None


class BusinessCase(View):
    """`machines`: how many the volume needs; costs of one answer in USD, `own` with purchase and power, `power` without the
    purchase; `break_even_answers` and `_months` are None where the purchase is never earned back; `cheaper_from`: answers a day
    from which one machine is cheaper, None where it can't answer so many; `utilization`: share of what the machines could
    answer."""

    machines: int
    capacity_per_day: float
    utilization: float
    own: float
    power: float
    hosted: float
    break_even_answers: float | None
    break_even_months: float | None
    cheaper_from: float | None
    lifetime_months: float

    @property
    def own_is_cheaper(self) -> bool:
        return self.own < self.hosted

    @property
    def saved_share(self) -> float:
        """Of the hosted cost; negative where the machine costs more."""
        return 1 - self.own / self.hosted if self.hosted else -inf


def business_case(answers_per_s: float, hosted: Hosted, given: Assumptions) -> BusinessCase:
    """The case for a pace of `answers_per_s` > 0 of one machine.

    - capacity a day = answers a second x 3,600 x hours a day; machines = volume / capacity, rounded up.
    - power a day = machines x watts / 1,000 x hours a day x price of a kWh; of an answer: divided by the answers a day.
    - purchase a day = machines x price / (years x 365).
    - own cost of an answer = (purchase + power of a day) / answers a day: an idle hour costs as much as a busy one.
    - break-even in answers = machines x price / (hosted cost - power of an answer); in months: at the answers a day.
    - cheaper from = (purchase + power of a day of one machine) / hosted cost of an answer."""
    capacity = answers_per_s * 3600 * given.hours_per_day
    machines = max(1, ceil(given.answers_per_day / capacity - 1e-9))
    price = machines * given.machine_price
    power_day = given.watts / 1000 * given.hours_per_day * given.electricity_price
    whole_day = given.machine_price / (given.lifetime_years * DAYS_PER_YEAR) + power_day
    power = machines * power_day / given.answers_per_day
    saved = hosted.per_answer - power
    cheaper_from = whole_day / hosted.per_answer if hosted.per_answer else inf
    answers = price / saved if saved > 0 else None
    return BusinessCase(
        machines=machines,
        capacity_per_day=capacity * machines,
        utilization=given.answers_per_day / (capacity * machines),
        own=machines * whole_day / given.answers_per_day,
        power=power,
        hosted=hosted.per_answer,
        break_even_answers=answers,
        break_even_months=answers / given.answers_per_day / DAYS_PER_MONTH if answers is not None else None,
        cheaper_from=cheaper_from if cheaper_from <= capacity else None,
        lifetime_months=given.lifetime_years * 12,
    )


def pace_of(
    test: LoadTest | None, best: EvaluationView | None, data: ArtifactView | None, limit_ms: float
) -> Pace | None:
    """From the load test where there is one: its best level within the limit, None where no level keeps it. Else from the
    evaluation's median latency, one answer after another, with tokens estimated from the dataset's lengths."""
    if test:
        level = test.best_level(limit_ms)
        if level is None:
            return None
        return Pace(
            answers_per_s=level.requests_per_s,
            prompt_tokens=level.prompt_tokens,
            answer_tokens=level.answer_tokens,
            users=test.users_at_once(limit_ms),
        )
    latency = best.metrics.get("latency_ms_p50") if best else None
    if not latency or data is None:
        return None
    return Pace(
        answers_per_s=1000 / latency,
        prompt_tokens=costs.prompt_tokens(data.facts.get("prompt_chars", 0.0)),
        answer_tokens=costs.answer_tokens(data.facts),
    )


def reached(result: RunResult) -> dict[str, float | None]:
    """What of `TARGETS` the model of a run reached against its teacher, on the same rows and this machine; None where one of
    the two was not measured. An endpoint's time has the network in it, and its memory is not known."""
    best, teacher = result.best, result.teacher
    if best is None or teacher is None:
        return dict.fromkeys(TARGETS)
    time, memory = (metric_ratio(best, teacher, name) for name in ("latency_ms_p50", "peak_memory_bytes"))
    return {
        "time": None if time is None else 1 - time,
        "memory": None if memory is None else 1 - memory,
        "quality": metric_ratio(best, teacher, result.quality),
    }
