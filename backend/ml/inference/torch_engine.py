"""Answers from torch weights: a model, or an adapter merged into its base.

Many answers come in batches of prompts of similar length, padded on the left. What all prompts share is read once and its
keys and values are copied to every row, and rows that are done leave the batch: with short answers this is most of the speed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from backend.core.schemas import ArtifactView
from backend.inference.engine import Engine, common_prefix, no_tick
from backend.inference.protocol import Lookup, Sampling, Tick
from backend.inference.sampler import Sampler
from backend.ml.inference.cache import attends, new_cache
from backend.ml.inference.torch_decoder import TorchDecoder

TOKENS_AT_ONCE = 16_384
"""Upper limit of rows x length of a batch: about 0.75 GB of keys and values for SmolLM2-135M."""
Rated = tuple[list[int], list[float]]
"""Ids of an answer; ln p of these and of the end of turn, if one came."""


class TorchEngine(Engine):
    """`view`: an artifact of kind model or adapter; `lookup` finds the base of an adapter."""

    def __init__(self, view: ArtifactView, lookup: Lookup) -> None:
        decoder = TorchDecoder(view, lookup)
        super().__init__(view, decoder)
        self.model: Any = decoder.model

    def answers(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = no_tick, batch: int = 64
    ) -> Iterator[tuple[int, str]]:
        for index, text, *_ in self.rated_answers(prompts, sampling, tick, batch):
            yield index, text

    def rated_answers(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = no_tick, batch: int = 64
    ) -> Iterator[tuple[int, str, float, bool]]:
        for index, ids, logprobs in self.rated_ids(prompts, sampling, tick, batch):
            yield index, *self.rated(ids, logprobs)

    def rated_ids(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = no_tick, batch: int = 64
    ) -> Iterator[tuple[int, list[int], list[float]]]:
        """(index of the prompt, ids of its answer, ln p of these and of the end of turn, if one came). Where layers keep states
        that can't be copied, one after another."""
        if not attends(self.model):
            for index, prompt in enumerate(prompts):
                sequence = self._ticking(self.sequence(prompt, sampling, rated=True), tick)
                yield index, sequence.tokens, sequence.logprobs
            return
        limits = [self.limit(prompt, sampling) for prompt in prompts]
        prefix = SharedPrefix(self.model, prompts)
        left = sorted(range(len(prompts)), key=lambda index: len(prompts[index]), reverse=True)
        while left:
            longest = len(prompts[left[0]]) + limits[left[0]]
            count = max(1, min(batch, TOKENS_AT_ONCE // longest))
            chosen, left = left[:count], left[count:]
            samplers = [self.sampler(sampling) for _ in chosen]
            rows = [prompts[index] for index in chosen]
            most = [limits[index] for index in chosen]
            found = answer_batch(self.model, rows, samplers, self.stops, most, prefix, tick)
            for index, (ids, logprobs) in zip(chosen, found, strict=True):
                yield index, ids, logprobs

    def close(self) -> None:
        super().close()
        self.model = None


class SharedPrefix:
    """The beginning that all prompts share, read once."""

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]]) -> None:
        self.length = common_prefix(prompts)
        self._cache = new_cache(model)
        if self.length:
            forward(model, torch.tensor([list(prompts[0][: self.length])], device=model.device), self._cache)

    def copied(self, rows: int) -> Any:
        """Its keys and values for so many rows."""
        cache = copy.deepcopy(self._cache)
        if self.length:
            cache.batch_repeat_interleave(rows)
        return cache


@torch.inference_mode()
def forward(model: Any, ids: Any, cache: Any, mask: Any = None, positions: Any = None) -> Any:
    """Logits of the last position, [rows, vocabulary]; `cache` grows by the length of `ids`, [rows, length]."""
    out = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return out.logits[:, -1]


@torch.inference_mode()
def answer_batch(
    model: Any,
    prompts: Sequence[Sequence[int]],
    samplers: Sequence[Sampler],
    stops: frozenset[int],
    limits: Sequence[int],
    prefix: SharedPrefix,
    tick: Tick = no_tick,
) -> list[Rated]:
    """An answer to each prompt, all in one batch. `samplers`, `limits`: of each, the latter in tokens; `prefix`: of these
    prompts, or of more."""
    cache, device = prefix.copied(len(prompts)), model.device
    own = [list(prompt[prefix.length :]) for prompt in prompts]
    ids, mask, positions = (part.to(device) for part in _pad_left(own, prefix.length))
    found: list[Rated] = [([], []) for _ in prompts]
    alive = list(range(len(prompts)))
    for _ in range(max(limits)):
        tick()
        logits = forward(model, ids, cache, mask, positions).float()
        tokens = _chosen(logits, [samplers[row] for row in alive])
        logprobs = logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(dim=-1)
        for row, logprob in zip(alive, logprobs.tolist(), strict=True):
            found[row][1].append(logprob)
        keep = [at for at, token in enumerate(tokens.tolist()) if token not in stops]
        for at in keep:
            found[alive[at]][0].append(int(tokens[at]))
        keep = [at for at in keep if len(found[alive[at]][0]) < limits[alive[at]]]
        if not keep:
            break
        positions = positions[:, -1:] + 1
        if len(keep) < len(alive):
            chosen = torch.tensor(keep, device=device)
            cache.batch_select_indices(chosen)
            tokens, mask, positions = tokens[chosen], mask[chosen], positions[chosen]
            alive = [alive[at] for at in keep]
        ids = tokens[:, None]
        mask = torch.cat([mask, mask.new_ones(len(alive), 1)], dim=1)
    return found


def _chosen(logits: Any, samplers: Sequence[Sampler]) -> Any:
    """The next token of every row."""
    if all(sampler.greedy and sampler.guide is None for sampler in samplers):
        return logits.argmax(dim=-1)
    rows = logits.cpu().numpy()
    return torch.tensor([sampler(row) for sampler, row in zip(samplers, rows, strict=True)], device=logits.device)


def _pad_left(rows: list[list[int]], shared: int) -> tuple[Any, Any, Any]:
    """Ids, mask (with `shared` ones in front) and positions, each [rows, length]."""
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in rows])
    own = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    positions = (own.cumsum(dim=1) - 1).clamp(min=0) + shared
    return ids, torch.cat([own.new_ones(len(rows), shared), own], dim=1), positions
