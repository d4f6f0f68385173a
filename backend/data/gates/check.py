"""Runs the gates over a dataset folder and says whether it is ready."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from backend.core.errors import Problem
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.data.decisions import accepted_rows
from backend.data.gates.base import Found, Gate, Options
from backend.data.gates.model import Finding, ScoreCard
from backend.data.gates.near_pairs import EXACT_TEXTS, search_every
from backend.data.gates.registry import GATES, NAMES
from backend.data.gates.rows import CheckedRows

OnTick = Callable[[int], None]
_SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Settings:
    """What a person chose. `accepted`: gate -> the reason why its finding may stay; `leave_out`: gates that don't run."""

    threshold: float = 0.8
    encoder: Encoder | None = None
    max_length: int = 0
    context: int = 0
    leave_out: Collection[str] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)


class Checking:
    """The gates of one dataset. They run pass by pass, so that what is done can be kept."""

    def __init__(self, folder: Path, settings: Settings, tick: OnTick = lambda rows: None) -> None:
        self.settings = settings
        self.rows = CheckedRows(folder)
        self.tick = tick
        self.options = Options(
            template=DataFolder(folder).template,
            look=self.rows.__getitem__,
            threshold=settings.threshold,
            encoder=settings.encoder,
            max_length=settings.max_length,
            context=settings.context,
            tick=tick,
            confirmed=accepted_rows(folder),
        )

    def gates(self) -> list[Gate]:
        """Those that can run here."""
        return [gate for gate in GATES if self.not_checked(gate) is None]

    def not_checked(self, gate: Gate) -> Problem | None:
        """Why a gate does not run."""
        if gate.name in self.settings.leave_out:
            return Problem(code="gates.left_out", args={"gate": gate.title}, blocking=False)
        if gate.needs == "tokenizer" and self.settings.encoder is None:
            return Problem(code="gates.no_model", args={"gate": gate.title}, blocking=False)
        return None

    def run(self, gates: Sequence[Gate]) -> list[Found | None]:
        """These gates in one pass over all rows; `tick` is called with rows as they are seen, and while gates compare."""
        checks = [gate.make(gate, self.options) for gate in gates]
        for block in self.rows.blocks(self.tick):
            for check in checks:
                check.see_block(block)
        return [self._accepted(gate, check.found()) for gate, check in zip(gates, checks, strict=True)]

    def passes(self) -> list[list[Gate]]:
        """The gates that can run here, those that share a pass together: gates that compare hold more, and run alone."""
        gates = self.gates()
        together = [gate for gate in gates if gate.needs != "pairs"]
        return [*([together] if together else []), *([gate] for gate in gates if gate.needs == "pairs")]

    def _accepted(self, gate: Gate, found: Found | None) -> Found | None:
        if found and (reason := self.settings.accepted.get(gate.name)):
            return replace(found, finding=found.finding.model_copy(update={"accepted": reason}))
        return found

    def card(self, findings: Sequence[Finding]) -> ScoreCard:
        """What all findings come to; the gravest first. What a person accepted counts no more."""
        not_checked = [problem for gate in GATES if (problem := self.not_checked(gate))]
        if len(self.rows) > EXACT_TEXTS:
            args = {"most": EXACT_TEXTS}
            not_checked.append(Problem(code="gates.sketched", args=args, blocking=False))
        every = search_every(len(self.rows))
        if every > 1 and not any(gate.name == "near_duplicates" and self.not_checked(gate) for gate in GATES):
            not_checked.append(Problem(code="gates.near_sampled", args={"every": every}, blocking=False))
        return score_card(findings, not_checked, len(self.rows))


def score_card(findings: Sequence[Finding], not_checked: Sequence[Problem], rows: int) -> ScoreCard:
    """`not_ready` with an error that nobody accepted, `warnings` with a warning, else `ready`."""
    open_ = {finding.severity for finding in findings if not finding.accepted}
    verdict = "not_ready" if "error" in open_ else "warnings" if "warning" in open_ else "ready"
    ordered = sorted(findings, key=lambda each: (bool(each.accepted), _SEVERITIES.index(each.severity), _place(each)))
    return ScoreCard(verdict=verdict, findings=ordered, not_checked=list(not_checked), rows=rows)


def _place(finding: Finding) -> int:
    """Findings of one severity come as their gates are listed, whichever ran first."""
    return NAMES.index(finding.gate) if finding.gate in NAMES else len(NAMES)


def check_folder(folder: Path, settings: Settings | None = None, tick: OnTick = lambda rows: None) -> ScoreCard:
    """All gates at once."""
    checking = Checking(folder, settings or Settings(), tick)
    ran = [found for gates in checking.passes() for found in checking.run(gates)]
    return checking.card([found.finding for found in ran if found])
