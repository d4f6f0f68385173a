"""The cheap gates in one pass, for the import itself."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from backend.data.dataset import Row, Template
from backend.data.gates.base import LISTED_ROWS, Options, whole_text
from backend.data.gates.model import Finding
from backend.data.gates.registry import GATES


def quick_findings(rows: Iterable[tuple[str, Row]], template: Template) -> list[Finding]:
    """One class, rare classes, imbalance, contradictions, label variants, duplicates, personal data, secrets, control tokens
    and damaged characters, of rows with their splits that may come one by one; 20 to 30 microseconds each. Examples quote the
    text of rows that are given as a list."""
    held: Sequence[tuple[str, Row]] | None = rows if isinstance(rows, Sequence) else None
    ids, ends = bytearray(), array("Q")

    def look(number: int) -> tuple[str, Row]:
        if held is not None:
            return held[number]
        start = ends[number - 1] if number else 0
        return "", Row(id=ids[start : ends[number]].decode(), input="")

    options = Options(template=template, look=look, most_listed=LISTED_ROWS)
    checks = [gate.make(gate, options) for gate in GATES if gate.quick]
    seers = [check.see for check in checks]
    for split, row in rows:
        text = whole_text(row)
        for see in seers:
            see(split, row, text)
        if held is None:
            ids += row.id.encode()
            ends.append(len(ids))
    return [found.finding for check in checks if (found := check.found())]


def personal_count(findings: Iterable[Finding]) -> int:
    """Rows with personal data or secrets among quick findings: the fact `personal` of a dataset."""
    return sum(finding.count for finding in findings if finding.gate in ("personal", "secrets"))


def quick_facts(rows: Iterable[tuple[str, Row]], template: Template, before: dict[str, Any]) -> dict[str, Any]:
    """The facts `personal` and `warnings` of rows that were made from a dataset with the facts `before`, whose warnings of the
    split stay true."""
    findings = quick_findings(rows, template)
    said = [each.problem.model_dump(include={"code", "args"}) for each in findings if each.severity != "info"]
    kept = [each for each in before.get("warnings", []) if each["code"].startswith("split.")]
    return {"personal": personal_count(findings), "warnings": kept + said}
