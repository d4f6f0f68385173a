"""The business case as one page to print."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from babel.dates import format_date

from backend.core.schemas import RunView
from backend.results.business_case import Assumptions, BusinessCase, Hosted, Pace
from backend.results.load_tests import LoadTest
from backend.results.report import BulletList, Heading, Paragraph, Report, Table
from backend.results.run_result import RunResult
from studio.ui.compare.load_test import conditions
from studio.ui.result.business_words import assumption_fields, case_rows, case_sentences, pace_words, target_rows
from studio.ui.result.words import headline
from studio.ui.shared.formatting import money, number, stage_label, version_line
from studio.ui.shared.i18n import _, lang


@dataclass(frozen=True)
class Case:
    """A business case with all that it rests on. `test`: None where no load test was made."""

    found: BusinessCase
    hosted: Hosted
    given: Assumptions
    pace: Pace
    limit_ms: float
    test: LoadTest | None


def business_report(run: RunView, result: RunResult, case: Case) -> Report:
    costs, cost_rows = case_rows(case.found, case.pace)
    targets, rows = target_rows(result, case.found)
    first, *others = case_sentences(case.found, case.given)
    return Report(
        title=_("Business case: {name}").format(name=stage_label(run.name)),
        subtitle=format_date(datetime.now(UTC).date(), "long", locale=lang()),
        lang=lang(),
        parts=[
            Paragraph(text=first),
            BulletList(texts=[*others, *filter(None, [headline(result)])]),
            Table(header=costs, rows=cost_rows, numbers=[1, 2]),
            Heading(text=_("Targets of distillation")),
            Table(header=targets, rows=rows, numbers=[1, 2]),
            Heading(text=_("Measured and assumed")),
            BulletList(texts=_basis(case)),
        ],
        brand=version_line(),
    )


def _basis(case: Case) -> list[str]:
    prices = _("Hosted price: {input} per million tokens read, {output} written.")
    said = [pace_words(case.pace, case.limit_ms)]
    said += [" · ".join(conditions(case.test))] if case.test else []
    said.append(prices.format(input=money(case.hosted.input_price), output=money(case.hosted.output_price)))
    for name, title, default in assumption_fields():
        value = getattr(case.given, name)
        note = _("assumed") if value == default else _("entered")
        said.append(f"{title}: {number(value)} ({note})")
    said.append(_("Not counted: people, cooling, network and taxes."))
    return said
