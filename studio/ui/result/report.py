"""The result as a document for people who don't open the studio: sentences, absolute values, machine, data, license, date."""

from __future__ import annotations

from datetime import UTC, datetime

from babel.dates import format_date

from backend.core.machine import cores, memory_bytes
from backend.core.schemas import RunView
from backend.results.report import BulletList, Heading, Paragraph, Part, Report, Table
from backend.results.run_result import RunResult
from studio.ui.compare.labels import benchmark_label, origin_texts
from studio.ui.result.comparison import comparison_rows
from studio.ui.result.words import bits_words, headline, sentences, teacher_price
from studio.ui.shared.formatting import clock, format_size, money, stage_label, version_line
from studio.ui.shared.i18n import _, lang, ngettext
from studio.ui.shared.run_findings import findings_of


def result_report(run: RunView, result: RunResult) -> Report:
    """Call it where something was measured."""
    assert result.best
    header, rows = comparison_rows(result)
    date = format_date(datetime.now(UTC).date(), "long", locale=lang())
    parts: list[Part] = [
        Paragraph(text=headline(result)),
        BulletList(texts=[*sentences(result), *filter(None, [bits_words(result)[0]]), *_findings(run)]),
        Heading(text=_("Figures")),
        Table(header=header, rows=rows, numbers=list(range(1, len(header)))),
        *_money(run),
        Heading(text=_("How the model was made")),
        BulletList(texts=origin_texts(result.best)),
        Heading(text=_("Conditions")),
        BulletList(texts=_conditions(run, result)),
    ]
    return Report(
        title=_("Result: {name}").format(name=stage_label(run.name)),
        subtitle=f"{date} · {benchmark_label([result.best])}",
        lang=lang(),
        parts=parts,
        brand=version_line(),
    )


def _findings(run: RunView) -> list[str]:
    return [f"{stage_label(job.stage)}: {found.sentence(_)}" for job, found in findings_of(run)]


def _money(run: RunView) -> list[Part]:
    paid = teacher_price(run)
    if paid is None:
        return []
    words = _("The teacher’s endpoint charges {money} per 1,000 answers; your model is free to run.")
    return [Paragraph(text=words.format(money=money(paid)))]


def _conditions(run: RunView, result: RunResult) -> list[str]:
    """Machine, data, licenses, dates."""
    assert result.best
    machine = ngettext("{n} CPU core", "{n} CPU cores", cores())
    found = [
        _("Machine: {cores}, {memory} of memory").format(cores=machine, memory=format_size(memory_bytes())),
        _("Run: {id}, {when}").format(id=run.id, when=clock(run.created)),
        _("Measured: {when}").format(when=clock(result.best.created)),
    ]
    if result.data:
        license = result.data.license or _("license unknown")
        found.append(_("Data: {name} ({license})").format(name=result.data.name, license=license))
    if result.model:
        license = result.model.license or _("license unknown")
        found.append(_("Model: {name} ({license})").format(name=result.model.name, license=license))
    found.append(
        _(
            "Every model answered the same unseen rows. Times are for one prompt at a time; memory "
            "is the process's peak. Intervals are 95%."
        )
    )
    return found
