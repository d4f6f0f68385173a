"""What the replies of one or several teachers say about a row, and which answer wins: the most frequent one
(self-consistency, Wang et al. 2022), or the one that a judge scores highest.

A reply may hold a rationale before its answer: what stands after the last marker is the answer, what stands before it the
rationale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from backend.generation.label_match import begins_another, match_label
from backend.generation.refusals import is_refusal

EMPTY, NO_MARKER, NO_LABEL, CUT_OFF = "no_answer", "no_marker", "no_label", "cut_off"
TWO_LABELS, REFUSAL, TOO_LONG = "two_labels", "refusal", "too_long"
"""Why a reply can't be learned: codes of `backend.core.messages.words.DROPS`."""


@dataclass(frozen=True)
class Sample:
    """One reply as it was read. `reject_reason` says why it can't win, None when it can; `confidence`: see `Row`; `raw`: the
    reply as it came where the answer was read out of it leniently, else ""."""

    answer: str
    rationale: str | None = None
    confidence: float | None = None
    reject_reason: str | None = None
    teacher: str = ""
    raw: str = ""


def parse_reply(
    reply: str,
    confidence: float | None,
    marker: str,
    labels: Collection[str] | None,
    truncated: bool = False,
    teacher: str = "",
    *,
    reasoning: str = "",
    refused: bool = False,
    strict: bool = True,
    find_refusals: bool = False,
) -> Sample:
    """`marker` "" takes the whole reply for the answer; `labels`: those that answers mean, None for any text; `strict`: an
    answer that means none of them is of no use; `truncated`: the reply was cut off, which makes it useless unless its answer is
    one of the labels; `reasoning` was split off the reply and becomes the rationale where there is no other; `refused`: the
    endpoint says so; `find_refusals`: free text that declines is of no use either."""
    before, found, after = reply.rpartition(marker) if marker else ("", "-", reply)
    answer, rationale = after.strip(), before.strip() or reasoning.strip() or None
    if refused and not answer:
        return Sample(reply.strip(), rationale, confidence, REFUSAL, teacher)
    if not found and answer:
        reason = REFUSAL if refused or is_refusal(answer) else CUT_OFF if truncated else NO_MARKER
        return Sample(answer, reasoning.strip() or None, confidence, reason, teacher)
    if not answer:
        cut_off = truncated and bool(reply.strip() or reasoning.strip())
        return Sample(answer, rationale, confidence, CUT_OFF if cut_off else EMPTY, teacher)
    if labels is None:
        declined = refused or (find_refusals and is_refusal(answer))
        return Sample(answer, rationale, confidence, REFUSAL if declined else CUT_OFF if truncated else None, teacher)
    label, several = match_label(answer, labels)
    if label is not None:
        cut_off = truncated and begins_another(label, labels)
        raw = "" if label == answer else reply.strip()
        return Sample(label, rationale, confidence, CUT_OFF if cut_off else None, teacher, raw)
    if not strict and not several:
        return Sample(answer, rationale, confidence, None, teacher)
    reason = REFUSAL if refused or is_refusal(answer) else TWO_LABELS if several else NO_LABEL
    return Sample(answer, rationale, confidence, reason, teacher)


def group_by_answer(samples: Sequence[Sample], ignore_case: bool) -> list[list[Sample]]:
    """The sound samples in groups of one answer each, in the order of their first samples. `ignore_case`: see `vote`."""
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.reject_reason is None:
            groups[" ".join(sample.answer.casefold().split()) if ignore_case else sample.answer].append(sample)
    return list(groups.values())


def best_group(groups: Sequence[Sequence[Sample]], scores: Sequence[int | None]) -> int | None:
    """The number of the group with the highest score; of equals the larger one, then the first. None without any score."""
    scored = [at for at, score in enumerate(scores) if score is not None]
    return max(scored, key=lambda at: (scores[at], len(groups[at]), -at), default=None)


def majority_vote(samples: Sequence[Sample], ignore_case: bool) -> Sample:
    """The sample whose answer most samples give, with the share of all samples that give it as its confidence; of equally
    many the answer that came first. One sample alone keeps its own confidence. Faulty samples can't win, and count in the
    share; when all are faulty the first comes back. `ignore_case`: answers that differ in case and spaces only are the same."""
    groups = group_by_answer(samples, ignore_case)
    if not groups:
        return samples[0]
    winner = max(groups, key=len)  # the first of equals: groups keep the order of their first sample
    if len(samples) == 1:
        return winner[0]
    return replace(winner[0], confidence=len(winner) / len(samples))
