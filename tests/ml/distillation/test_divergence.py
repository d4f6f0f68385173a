"""The divergence from a teacher of whom only the likeliest tokens are known: against the dense one, and its definition."""

from __future__ import annotations

import pytest
import torch

from backend.ml.distillation.capture import top_k_logits
from backend.ml.distillation.divergence import Target, dense_divergence, divergence
from backend.training.captures import Layout, full_layout

pytestmark = pytest.mark.ml
KINDS = ("forward_kl", "reverse_kl", "jsd")
V = 300


def logits(seed: int, rows: int = 12, vocabulary: int = V) -> torch.Tensor:
    return 4 * torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(seed))


def dense(teacher: torch.Tensor, student: torch.Tensor, kind: str, temperature: float) -> torch.Tensor:
    """T^2 times the divergence of two whole distributions, in double precision."""
    p, q = ((each.double() / temperature).softmax(dim=1) for each in (teacher, student))

    def kl(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.xlogy(a, a / b).sum(dim=1)

    middle = (p + q) / 2
    found = {"forward_kl": kl(p, q), "reverse_kl": kl(q, p), "jsd": (kl(p, middle) + kl(q, middle)) / 2}
    return found[kind] * temperature**2


def captured(teacher: torch.Tensor, layout: Layout, temperature: float, ids: torch.Tensor | None = None) -> Target:
    """The target of a teacher's logits, unpacked; `ids` maps them to a student's vocabulary."""
    found, values, norms, tails = top_k_logits(teacher, torch.zeros(len(teacher), dtype=torch.long), layout)
    at = layout.temperatures.index(temperature)
    mapped = found if ids is None else ids[found]
    return Target(mapped, values / temperature - norms[:, at, None], tails[:, at])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_with_every_token_it_is_the_dense_one_and_so_is_its_gradient(kind: str, temperature: float) -> None:
    teacher, student = logits(1), logits(2).requires_grad_(True)
    target = captured(teacher, full_layout(V, [1.0, 2.0]), temperature)
    assert torch.isneginf(target.log_tail).all()
    mine = divergence(student, target, kind, temperature)
    theirs = dense(teacher, student, kind, temperature)
    torch.testing.assert_close(mine.double(), theirs, atol=1e-5, rtol=1e-5)
    (gradient,) = torch.autograd.grad(mine.sum(), student, retain_graph=True)
    (expected,) = torch.autograd.grad(theirs.sum(), student)
    torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_tokens_that_were_not_kept_are_one_bucket(kind: str, temperature: float) -> None:
    """As the dense divergence of the distributions in which they are added up."""
    teacher, student = logits(3), logits(4).requires_grad_(True)
    target = captured(teacher, Layout(7, 2, 32, (1.0, 2.0)), temperature)

    def coarse(scores: torch.Tensor) -> torch.Tensor:
        logs = (scores.double() / temperature).log_softmax(dim=1)
        rest = logs.scatter(1, target.ids, -torch.inf).logsumexp(dim=1, keepdim=True)
        return temperature * torch.cat([logs.gather(1, target.ids), rest], dim=1)

    mine = divergence(student, target, kind, temperature)
    theirs = dense(coarse(teacher), coarse(student), kind, temperature)
    torch.testing.assert_close(mine.double(), theirs, atol=1e-5, rtol=1e-5)
    assert (mine < dense(teacher, student, kind, temperature)).all()
    (gradient,) = torch.autograd.grad(mine.sum(), student, retain_graph=True)
    (expected,) = torch.autograd.grad(theirs.sum(), student)
    torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_that_the_student_lacks_go_into_the_bucket(kind: str) -> None:
    """A student with the tokens 0 to 99 in reverse order, and one row that nobody uses."""
    ids = torch.full((V,), -1)
    ids[:100] = torch.arange(99, -1, -1)
    teacher, student = logits(5), logits(6, vocabulary=101).requires_grad_(True)
    mine = divergence(student, captured(teacher, full_layout(V, [1.0]), 1.0, ids), kind, 1.0)
    rest = teacher[:, 100:].logsumexp(dim=1, keepdim=True)
    theirs = dense(torch.cat([teacher[:, :100].flip(1), rest], dim=1), student, kind, 1.0)
    torch.testing.assert_close(mine.double(), theirs, atol=1e-5, rtol=1e-5)
    (gradient,) = torch.autograd.grad(mine.sum(), student)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_teacher_without_a_bucket_leaves_numbers(kind: str) -> None:
    """The student has rows that the teacher knows nothing of."""
    student = logits(8, vocabulary=V + 8).requires_grad_(True)
    mine = divergence(student, captured(logits(7), full_layout(V, [1.0]), 1.0), kind, 1.0)
    (gradient,) = torch.autograd.grad(mine.sum(), student)
    assert torch.isfinite(mine).all() and torch.isfinite(gradient).all() and (mine > 0).all()


def test_gradients_keep_their_size_as_the_temperature_grows() -> None:
    teacher, student = logits(9), logits(10).requires_grad_(True)
    sizes = []
    for temperature in (4.0, 8.0):
        target = captured(teacher, full_layout(V, [4.0, 8.0]), temperature)
        (gradient,) = torch.autograd.grad(divergence(student, target, "forward_kl", temperature).sum(), student)
        sizes.append(float(gradient.norm()))
    assert 0.5 < sizes[1] / sizes[0] < 1.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_of_a_whole_distribution_it_is_trls_of_gkd(kind: str, temperature: float) -> None:
    """TRL's loss moves between its releases, and has no factor T^2."""
    from trl.experimental.gkd.gkd_trainer import GKDTrainer  # type: ignore[attr-defined]

    teacher, student = logits(1), logits(2).requires_grad_(True)
    mine = dense_divergence(student, teacher, torch.arange(V), kind, temperature).sum()
    beta = {"forward_kl": 0.0, "reverse_kl": 1.0, "jsd": 0.5}[kind]
    theirs = GKDTrainer.generalized_jsd_loss(student, teacher, None, beta, temperature, "sum") * temperature**2
    torch.testing.assert_close(mine, theirs, atol=1e-3, rtol=1e-5)
    torch.testing.assert_close(mine.double(), dense(teacher, student, kind, temperature).sum(), atol=1e-3, rtol=1e-5)
    (gradient,) = torch.autograd.grad(mine, student)
    (expected,) = torch.autograd.grad(theirs, student)
    torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_of_two_vocabularies_lacks_is_the_bucket(kind: str) -> None:
    """As a capture of every token has it, for a student with a part of the tokens, in another order, and rows of padding."""
    teacher, student = logits(5), logits(6, vocabulary=120).requires_grad_(True)
    to_teacher = torch.full((120,), -1)
    to_teacher[:100] = torch.randperm(V, generator=torch.Generator().manual_seed(0))[:100]
    to_student = torch.full((V,), -1)
    to_student[to_teacher[:100]] = torch.arange(100)
    target = captured(teacher, full_layout(V, [2.0]), 2.0, to_student)
    offline, live = (
        divergence(student, target, kind, 2.0),
        dense_divergence(student, teacher, to_teacher, kind, 2.0),
    )
    torch.testing.assert_close(live, offline, atol=1e-5, rtol=1e-5)
    (gradient,) = torch.autograd.grad(live.sum(), student)
    (expected,) = torch.autograd.grad(offline.sum(), student)
    torch.testing.assert_close(gradient, expected, atol=1e-5, rtol=1e-4)
