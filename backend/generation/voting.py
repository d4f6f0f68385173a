"""What the replies of one or several teachers say about a row, and which answer wins: the most frequent one
(self-consistency, Wang et al. 2022), or the one that a judge scores highest.

A reply may hold a rationale before its answer: what stands after the last marker is the answer, what stands before it the
rationale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

EMPTY, NO_MARKER, NO_LABEL, CUT_OFF = "no_answer", "no_marker", "no_label", "cut_off"
"""Why a reply can't be learned: codes of `backend.core.messages.words.DROPS`."""


@dataclass(frozen=True)
class Sample:
    """One reply as it was read. `reject_reason` says why it can't win, None when it can; `confidence`: see `Row`."""

    answer: str
    rationale: str | None = None
    confidence: float | None = None
    reject_reason: str | None = None
    teacher: str = ""


def parse_reply(
    reply: str,
    confidence: float | None,
    marker: str,
    labels: Collection[str] | None,
    truncated: bool = False,
    teacher: str = "",
) -> Sample:
    """`marker` "" takes the whole reply for the answer; `labels`: the only answers that count, None for any; `truncated`: the
    reply was cut off, which makes it useless unless its answer is one of the labels."""
    before, found, after = reply.rpartition(marker) if marker else ("", "-", reply)
    answer, rationale = after.strip(), before.strip() or None
    reject_reason = None
    if not found and answer:
        return Sample(answer, None, confidence, CUT_OFF if truncated else NO_MARKER, teacher)
    if not answer:
        reject_reason = CUT_OFF if truncated and reply.strip() else EMPTY
    elif labels is not None:
        reject_reason = None if answer in labels else NO_LABEL
    elif truncated:
        reject_reason = CUT_OFF
    return Sample(answer, rationale, confidence, reject_reason, teacher)


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
    return Sample(winner[0].answer, winner[0].rationale, len(winner) / len(samples))
