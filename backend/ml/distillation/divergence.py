"""How far a student is from a teacher, of whom all probabilities are known or only those of the likeliest tokens.

Let K be the tokens of a position that were kept and that the student has too. All others, of teacher and of student, are one
bucket r: p_r = 1 - sum over K of p_i, and likewise q_r. With p = softmax(z / T) of the teacher and q of the student,

    forward KL  D(p, q) = sum over K of p_i (log p_i - log q_i) + p_r (log p_r - log q_r)
    reverse KL  D(q, p)
    JSD         D(p, m) / 2 + D(q, m) / 2 with m = (p + q) / 2

Each is the divergence of the two coarser distributions, so at most the dense one, and equal to it when K is the whole
vocabulary. Nothing is renormalised: a teacher who spreads his mass over many tokens teaches the student to do the same.
The result is multiplied by T^2, which keeps the size of the gradient as T grows (Hinton, Vinyals and Dean 2015).
"""

from __future__ import annotations

from typing import NamedTuple

import torch

Tensor = torch.Tensor
_LOG_ZERO = -1e4
"""The logarithm of what is not there."""
_MIN_LOG_TAIL = -60.0
"""The logarithm of the least share that a teacher's bucket counts with: the reverse KL of a teacher without any is infinite."""


class Target(NamedTuple):
    """A teacher at temperature T. `ids`: (positions, k) in the student's vocabulary, -1 where it lacks the token; `log_p`:
    (positions, k); `log_tail`: (positions), the mass of all tokens that were not kept."""

    ids: Tensor
    log_p: Tensor
    log_tail: Tensor


def divergence(logits: Tensor, target: Target, kind: str, temperature: float) -> Tensor:
    """T^2 times the divergence of each position, (positions); `logits`: the student's, (positions, vocabulary)."""
    return _distance(_teacher(target), _student(logits.float() / temperature, target.ids), kind, temperature)


def dense_divergence(logits: Tensor, scores: Tensor, ids: Tensor, kind: str, temperature: float) -> Tensor:
    """The same where the teacher's whole distribution is known: `scores` are its logits, (positions, its vocabulary); `ids`:
    for every token of the student's vocabulary the teacher's id, -1 where it has none. What one of them lacks is the
    bucket, so no teacher's mass is renormalised."""
    log_q = torch.log_softmax(logits.float() / temperature, dim=1)
    log_p = torch.log_softmax(scores.float() / temperature, dim=1)
    shared, alone = ids[ids >= 0], ids < 0
    lacking = torch.ones(scores.shape[1], dtype=torch.bool, device=ids.device).index_fill_(0, shared, False)
    log_q = torch.cat([log_q[:, ~alone], _log_mass(log_q[:, alone], _LOG_ZERO)], dim=1)
    log_p = torch.cat([log_p[:, shared], _log_mass(log_p[:, lacking], _MIN_LOG_TAIL)], dim=1)
    return _distance(log_p, log_q, kind, temperature)


def _log_mass(logs: Tensor, least: float) -> Tensor:
    """The logarithm of the sum of probabilities, at least `least`, (positions, 1)."""
    if not logs.shape[1]:
        return logs.new_full((len(logs), 1), least)
    return logs.logsumexp(dim=1, keepdim=True).clamp(min=least)


def _distance(log_p: Tensor, log_q: Tensor, kind: str, temperature: float) -> Tensor:
    if kind == "forward_kl":
        distance = _kl(log_p, log_q)
    elif kind == "reverse_kl":
        distance = _kl(log_q, log_p)
    else:
        middle = torch.logaddexp(log_p, log_q) - torch.log(torch.tensor(2.0))
        distance = (_kl(log_p, middle) + _kl(log_q, middle)) / 2
    return distance * temperature**2


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)


def _student(scaled: Tensor, ids: Tensor) -> Tensor:
    """Log-probabilities of the kept tokens and of the bucket, (positions, k + 1). One pass over the vocabulary."""
    rows, vocabulary = scaled.shape
    lacks = ids < 0
    kept = torch.zeros(rows, vocabulary + 1, dtype=torch.bool, device=scaled.device)
    kept.scatter_(1, ids.masked_fill(lacks, vocabulary), True)
    rest = scaled.masked_fill(kept[:, :vocabulary], _LOG_ZERO).logsumexp(dim=1, keepdim=True)
    chosen = scaled.gather(1, ids.clamp(min=0)).masked_fill(lacks, _LOG_ZERO)
    parts = torch.cat([chosen, rest], dim=1)
    return parts - parts.logsumexp(dim=1, keepdim=True)


def _teacher(target: Target) -> Tensor:
    """The same of the teacher: what the student lacks goes into the bucket."""
    lacks = target.ids < 0
    lacking = target.log_p.masked_fill(~lacks, _LOG_ZERO).logsumexp(dim=1)
    tail = torch.logaddexp(target.log_tail.clamp(min=_LOG_ZERO), lacking).clamp(min=_MIN_LOG_TAIL)
    return torch.cat([target.log_p.masked_fill(lacks, _LOG_ZERO), tail[:, None]], dim=1)
