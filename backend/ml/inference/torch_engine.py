"""Answers from torch weights: a model, or an adapter merged into its base.

Batches hold prompts of similar length, padded on the left. What all prompts share is read once and its keys and values are
copied to every row, and rows that are done leave the batch: with short answers this is most of the speed.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import DynamicCache

from backend.core.schemas import ArtifactView
from backend.inference import text_engine
from backend.inference.protocol import Lookup, Sampling, Tick
from backend.ml.inference.load import load_model

TOKENS_AT_ONCE = 16_384
"""Upper limit of rows x length of a batch: about 0.75 GB of keys and values for SmolLM2-135M."""


def _no_tick() -> None:
    return None


class TorchEngine(text_engine.TextEngine):
    """`view`: an artifact of kind model or adapter; `lookup` finds the base of an adapter."""

    def __init__(self, view: ArtifactView, lookup: Lookup) -> None:
        super().__init__(view)
        self.model: Any = load_model(view, lookup, merged=True).eval()

    def stream_ids(self, prompt: Sequence[int], sampling: Sampling) -> Iterator[int]:
        draw = _Draw(sampling, self.model.device)
        cache = DynamicCache()
        ids = torch.tensor([list(prompt)], device=self.model.device)
        for _ in range(sampling.max_new_tokens):
            token = draw(self._forward(ids, cache))
            ids = token[:, None]
            if int(token) in self.stops and not sampling.full_length:
                return
            yield int(token)

    def answers(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = _no_tick, batch: int = 64
    ) -> Iterator[tuple[int, str]]:
        for index, text, *_ in self.rated_answers(prompts, sampling, tick, batch):
            yield index, text

    def rated_answers(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = _no_tick, batch: int = 64
    ) -> Iterator[tuple[int, str, float, bool]]:
        for index, ids, chances in self.rated_ids(prompts, sampling, tick, batch):
            yield index, *self.rated(ids, chances)

    def rated_ids(
        self, prompts: Sequence[Sequence[int]], sampling: Sampling, tick: Tick = _no_tick, batch: int = 64
    ) -> Iterator[tuple[int, list[int], list[float]]]:
        """(index of the prompt, ids of its answer, ln p of these and of the end of turn, if one came)."""
        if not prompts:
            return
        shared = text_engine.common_prefix(prompts)
        prefix = DynamicCache()
        if shared:
            self._forward(torch.tensor([list(prompts[0][:shared])], device=self.model.device), prefix)
        left = sorted(range(len(prompts)), key=lambda index: len(prompts[index]), reverse=True)
        while left:
            longest = len(prompts[left[0]]) + sampling.max_new_tokens
            chosen, left = _split(left, max(1, min(batch, TOKENS_AT_ONCE // longest)))
            rows = [list(prompts[index][shared:]) for index in chosen]
            for index, (ids, chances) in zip(chosen, self._batch(rows, prefix, shared, sampling, tick), strict=True):
                yield index, ids, chances

    @torch.inference_mode()
    def logits(self, ids: Sequence[int]) -> Any:
        """Of every position: a float32 array, (len(ids), vocabulary)."""
        read = torch.tensor([list(ids)], device=self.model.device)
        return self.model(input_ids=read, use_cache=False).logits[0].float().cpu().numpy()

    @torch.inference_mode()
    def answer_logits(self, prompt: Sequence[int], answer: Sequence[int]) -> Any:
        """The head is computed where the answer is foretold only."""
        ids = torch.tensor([[*prompt, *answer]], device=self.model.device)
        kept = self.model(input_ids=ids, logits_to_keep=len(answer) + 1, use_cache=False).logits[0, :-1]
        return kept.float().cpu().numpy()

    def close(self) -> None:
        self.model = None

    @torch.inference_mode()
    def _forward(self, ids: Any, cache: Any, mask: Any = None, positions: Any = None) -> Any:
        """Logits of the last position, [rows, vocabulary]; `cache` grows by the length of `ids`."""
        out = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[:, -1]

    @torch.inference_mode()
    def _batch(
        self, rows: list[list[int]], prefix: Any, shared: int, sampling: Sampling, tick: Tick
    ) -> list[tuple[list[int], list[float]]]:
        """Answers of `rows`, each the part of a prompt after the shared prefix, whose keys and values `prefix` holds; with
        each the ln p of its tokens and of its end of turn."""
        device = self.model.device
        cache = copy.deepcopy(prefix)
        if shared:
            cache.batch_repeat_interleave(len(rows))
        ids, mask, positions = (part.to(device) for part in _pad_left(rows, shared))
        draw = _Draw(sampling, device)
        found: list[tuple[list[int], list[float]]] = [([], []) for _ in rows]
        alive = list(range(len(rows)))
        for _ in range(sampling.max_new_tokens):
            tick()
            logits = self._forward(ids, cache, mask, positions).float()
            tokens = draw(logits)
            chances = logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(dim=-1)
            for at, chance in enumerate(chances.tolist()):
                found[alive[at]][1].append(chance)
            keep = [at for at, token in enumerate(tokens.tolist()) if token not in self.stops]
            for at in keep:
                found[alive[at]][0].append(int(tokens[at]))
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


class _Draw:
    """The next token of every row: the likeliest, or one drawn by temperature and top-p with its own seed."""

    def __init__(self, sampling: Sampling, device: Any) -> None:
        self.sampling = sampling
        self.random = torch.Generator(device=device).manual_seed(sampling.seed)

    def __call__(self, logits: Any) -> Any:
        if self.sampling.temperature <= 0:
            return logits.argmax(dim=-1)
        chances = torch.softmax(logits.float() / self.sampling.temperature, dim=-1)
        ranked, order = chances.sort(dim=-1, descending=True)
        ranked[ranked.cumsum(dim=-1) - ranked > self.sampling.top_p] = 0.0
        return order.gather(-1, torch.multinomial(ranked, 1, generator=self.random))[:, 0]


def _pad_left(rows: list[list[int]], shared: int) -> tuple[Any, Any, Any]:
    """Ids, mask (with `shared` ones in front) and positions, each [rows, length]."""
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in rows])
    own = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    positions = (own.cumsum(dim=1) - 1).clamp(min=0) + shared
    return ids, torch.cat([own.new_ones(len(rows), shared), own], dim=1), positions


def _split(items: list[int], count: int) -> tuple[list[int], list[int]]:
    return items[:count], items[count:]
