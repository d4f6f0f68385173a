"""The cheap gates in one pass, for the import itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from backend.core.errors import Problem
from backend.data.dataset import Template
from backend.data.facts import FactsTally, rejected_facts
from backend.data.gates.base import LISTED_ROWS, Options
from backend.data.gates.model import Finding
from backend.data.gates.patterns import Looking
from backend.data.gates.registry import GATES
from backend.data.gates.rows import CheckedRows

MOST_EXAMINED = 20_000
"""Rows that each gate for patterns examines of those that may hold one; of the others a hundredth."""


@dataclass
class QuickCheck:
    """What one pass over the rows of a dataset tells. `facts`: those that `data_facts` counts; `sampled`: gates that
    looked at a sample."""

    facts: dict[str, Any]
    findings: list[Finding]
    sampled: list[Problem]

    @property
    def personal(self) -> int:
        """Rows with personal data or secrets: the fact `personal` of a dataset."""
        return sum(finding.count for finding in self.findings if finding.gate in ("personal", "secrets"))

    @property
    def personal_found(self) -> str:
        """Their kinds and counts in words: the fact `personal_found` of a dataset."""
        told = (finding.problem.args["found"] for finding in self.findings if finding.gate in ("personal", "secrets"))
        return ", ".join(told)

    def warnings(self, said: Iterable[str] = ()) -> list[Problem]:
        """What a person should know, but for findings of the gates in `said`."""
        found = [each.problem for each in self.findings if each.severity != "info" and each.gate not in said]
        return found + self.sampled


def quick_check(rows: CheckedRows, template: Template, tick: Callable[[int], None] = lambda rows: None) -> QuickCheck:
    """Facts, one class, rare classes, imbalance, contradictions, label variants, duplicates, personal data, secrets, control
    tokens and damaged characters: one to two microseconds a row. All rows are looked at, unless very many may hold personal
    data, keys, tokens or damage. `tick(rows)` may raise Cancelled."""
    options = Options(template=template, look=rows.__getitem__, most_listed=LISTED_ROWS, most_examined=MOST_EXAMINED)
    gates = [gate for gate in GATES if gate.quick]
    checks = [gate.make(gate, options) for gate in gates]
    tally = FactsTally(template)
    for block in rows.blocks(tick):
        tally.add(block)
        for check in checks:
            check.see_block(block)
    sampled = [
        Problem(
            code="gates.sampled",
            args={"gate": gate.title, "looked": check.seen - check.passed_over, "rows": check.seen},
            blocking=False,
        )
        for gate, check in zip(gates, checks, strict=True)
        if isinstance(check, Looking) and check.passed_over
    ]
    findings = [found.finding for check in checks if (found := check.found())]
    return QuickCheck(tally.facts() | rejected_facts(rows.folder), findings, sampled)


def quick_facts(rows: CheckedRows, template: Template, before: dict[str, Any]) -> dict[str, Any]:
    """The facts of rows that were made from a dataset with the facts `before`, whose warnings of the split stay true."""
    found = quick_check(rows, template)
    said = [each.model_dump(include={"code", "args"}) for each in found.warnings()]
    kept = [each for each in before.get("warnings", []) if each["code"].startswith("split.")]
    return {**found.facts, "personal": found.personal, "personal_found": found.personal_found, "warnings": kept + said}
