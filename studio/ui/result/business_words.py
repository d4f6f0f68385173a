"""The business case in sentences and rows. Nothing is praised: where the hosted model is cheaper, that comes first."""

from __future__ import annotations

from backend.results.business_case import TARGETS, Assumptions, BusinessCase, Pace, reached
from backend.results.run_result import RunResult
from studio.ui.shared.formatting import count_text, money, number, percent
from studio.ui.shared.i18n import _, ngettext

COST_TARGET = 0.6
"""What is promised of operating costs beside them: 60 % less."""
_MILLION = 1_000_000


def case_sentences(case: BusinessCase, given: Assumptions) -> list[str]:
    """The one for who decides, then what it depends on."""
    args = {
        "n": count_text(given.answers_per_day),
        "own": money(1000 * case.own),
        "hosted": money(1000 * case.hosted),
    }
    if case.own_is_cheaper:
        words = _("With {n} answers a day, this machine is cheaper: {own} per 1,000 answers, hosted {hosted}.")
        said = [words.format(**args), _pays(case)]
    else:
        words = _(
            "With {n} answers a day, the hosted model is cheaper: {hosted} per 1,000 answers, this machine {own}."
        )
        said = [words.format(**args), _pays(case)]
        if case.cheaper_from is not None:
            words = _("This machine is cheaper from {n} answers a day.")
            said.append(words.format(n=count_text(case.cheaper_from)))
        else:
            said.append(_("This machine is too slow to ever be cheaper at these prices."))
    if case.machines > 1:
        said.append(_("So many answers need {n} machines.").format(n=count_text(case.machines)))
    return said


def _pays(case: BusinessCase) -> str:
    if case.break_even_answers is None or case.break_even_months is None:
        return _("With so few answers, power alone costs more than the hosted model.")
    args = {"answers": count_text(case.break_even_answers), "months": number(case.break_even_months)}
    if case.break_even_months <= case.lifetime_months:
        return _("It pays for itself after {answers} answers, in {months} months.").format(**args)
    words = _("It would pay for itself after {answers} answers, in {months} months: longer than it lasts.")
    return words.format(**args)


def pace_words(pace: Pace, limit_ms: float) -> str:
    """What was measured."""
    said = _("Measured: {rate} answers per second, {prompt} prompt tokens and {answer} answer tokens each.").format(
        rate=number(pace.answers_per_s), prompt=number(pace.prompt_tokens), answer=number(pace.answer_tokens)
    )
    if pace.users is None:
        return f"{said} {_('One answer after another; tokens estimated from the dataset.')}"
    users = ngettext("{n} user at once", "{n} users at once", pace.users)
    return f"{said} {_('{users} within {limit} ms (p95).').format(users=users, limit=count_text(limit_ms))}"


def case_rows(case: BusinessCase, pace: Pace) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the costs, as plain text."""
    header = [_("Cost"), _("This machine"), _("Hosted")]
    rows = [
        [_("1,000 answers"), money(1000 * case.own), money(1000 * case.hosted)],
        [_("1 million answers"), money(_MILLION * case.own), money(_MILLION * case.hosted)],
        [_("of which power, 1 million answers"), money(_MILLION * case.power), "–"],
        [_("Answers a day, at most"), count_text(case.capacity_per_day), "–"],
        [_("Used"), percent(case.utilization), "–"],
        [_("Users at once"), "–" if pace.users is None else count_text(pace.users), "–"],
    ]
    return header, rows


def target_rows(result: RunResult, case: BusinessCase) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the targets, against the teacher on the same rows, costs against the hosted price."""
    found = reached(result)
    titles = {
        "time": _("Less time per answer than the teacher"),
        "memory": _("Less memory than the teacher"),
        "quality": _("Teacher’s quality kept"),
    }
    rows = [_target(titles[name], TARGETS[name], found[name]) for name in titles]
    saved = case.saved_share if case.hosted else None
    return [_("Goal"), _("Wanted"), _("Reached"), ""], [*rows, _target(_("Lower operating cost"), COST_TARGET, saved)]


def _target(title: str, wanted: float, value: float | None) -> list[str]:
    if value is None:
        return [title, percent(wanted, 0), _("not measured"), "–"]
    reached = percent(value) if value >= 0 else _("more instead")
    return [title, percent(wanted, 0), reached, _("Yes") if value >= wanted else _("No")]


def assumption_fields() -> list[tuple[str, str, float]]:
    """(name, title, default) of what is entered."""
    titles = {
        "machine_price": _("Machine price (USD)"),
        "watts": _("Power (watts)"),
        "electricity_price": _("Electricity (USD per kWh)"),
        "lifetime_years": _("Lifetime (years)"),
        "hours_per_day": _("Hours on per day"),
        "answers_per_day": _("Answers per day"),
    }
    return [(name, title, Assumptions.model_fields[name].default) for name, title in titles.items()]
