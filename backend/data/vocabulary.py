"""A tokenizer pruned to what a dataset needs: byte-level BPE only, without torch or transformers.

What stays: every special token, one token for each byte, every token that the data's texts fall into with all that it is
merged from, then the commonest others (those merged first) up to the wished size. Texts of the data fall into the same
pieces as before; any other text still becomes tokens and comes back as it was, only in shorter pieces.

Why the same pieces: BPE always applies the applicable merge of lowest rank. Every merge that it applies to a text of the
data is kept, and the order of ranks too; a merge that is left out can't let another one come first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import Problem, StudioError
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Message

SIZE_MULTIPLE = 64
"""Sizes are a multiple of it, which kernels and blocks of 4-bit weights like."""
_SPLITS = ("train", "validation", "pool")
"""Not the test split: it has to tell what words cost that nobody has seen."""
_ROLES: list[Message] = [{"role": role, "content": "."} for role in ("user", "assistant", "user")]


class Vocabulary:
    """The tokens of a model folder, from its tokenizer.json. Raises StudioError when it is no byte-level BPE."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.content: dict[str, Any] = _json(self.folder / "tokenizer.json")
        wrong = unsupported_tokenizer(self.folder)
        if wrong:
            raise StudioError.of([wrong])
        self.model: dict[str, Any] = self.content["model"]
        self.added = {token["content"]: int(token["id"]) for token in self.content.get("added_tokens") or []}
        self.ids: dict[str, int] = {**self.model["vocab"], **self.added}

    @cached_property
    def tokens(self) -> dict[int, str]:
        return {id_: token for token, id_ in self.ids.items()}

    @cached_property
    def merges(self) -> list[tuple[str, str]]:
        """The pairs that become one token, in the order in which they are tried."""
        pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in self.model["merges"]]
        return [(left, right) for left, right in pairs]

    @cached_property
    def _ranks(self) -> dict[tuple[str, str], int]:
        return {pair: rank for rank, pair in enumerate(self.merges)}

    def parts(self, token: str) -> set[str]:
        """`token` and all that BPE merges on the way to it."""
        found, pieces, last = {token}, list(token), len(self._ranks)
        while len(pieces) > 1:
            ranks = [self._ranks.get((left, right), last) for left, right in pairwise(pieces)]
            rank = min(ranks)
            if rank == last:
                break
            at = ranks.index(rank)
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
            found.add(pieces[at])
        return found

    def keep(self, used: Iterable[int], least: int) -> list[int]:
        """The ids that stay, ascending: an id's place in the list is its new id. At least `least` tokens, if there are as
        many, and a multiple of 64; else all of them."""
        kept = {*self.added, *self._named(), *(token for token in self.ids if len(token) == 1)}
        for id_ in used:
            token = self.tokens[id_]
            kept |= {token} if token in self.added else self.parts(token)
        kept &= self.ids.keys()
        size = -(-max(least, len(kept)) // SIZE_MULTIPLE) * SIZE_MULTIPLE
        for token in self._commonest():
            if len(kept) >= size:
                break
            kept.add(token)
        return sorted(self.ids[token] for token in kept)

    def write(self, kept: list[int], out: Path) -> None:
        """Put tokenizer.json and tokenizer_config.json with the ids `kept` alone, renumbered, into `out`."""
        new = {self.tokens[id_]: place for place, id_ in enumerate(kept)}
        content = _renumbered(self.content, new)
        known = self.model["vocab"]
        content["model"] = {
            **self.model,
            "vocab": {token: id_ for token, id_ in new.items() if token in known},
            "merges": [
                written
                for written, (left, right) in zip(self.model["merges"], self.merges, strict=True)
                if left in new and right in new and left + right in new
            ],
        }
        write_json(out / "tokenizer.json", content)
        if (self.folder / "tokenizer_config.json").is_file():
            config = _json(self.folder / "tokenizer_config.json")
            listed = config.get("added_tokens_decoder")
            if listed:
                config["added_tokens_decoder"] = {str(new[token["content"]]): token for token in listed.values()}
            write_json(out / "tokenizer_config.json", config)

    def _commonest(self) -> Iterator[str]:
        """Ordinary tokens, those that training the tokenizer merged first before the others, then what no merge makes."""
        for left, right in self.merges:
            yield left + right
        yield from self.ids

    def _named(self) -> Iterator[str]:
        """The tokens that the tokenizer's own settings name."""
        yield from _names(self.content)
        config = self.folder / "tokenizer_config.json"
        if config.is_file():
            yield from _names(_json(config))


def unsupported_tokenizer(folder: Path) -> Problem | None:
    """Why the vocabulary of this model folder can't be pruned; None when it can."""
    content = _json(folder / "tokenizer.json")
    model = content["model"]
    kind = str(model.get("type") or "?")
    whole_words = model.get("continuing_subword_prefix") or model.get("end_of_word_suffix")
    byte_level = "ByteLevel" in _types(content.get("pre_tokenizer")) and "ByteLevel" in _types(content.get("decoder"))
    if kind == "BPE" and byte_level and not whole_words:
        return None
    return Problem(code="cut.tokenizer", args={"type": kind}, field="vocabulary")


def used_token_ids(folder: Path, data: DataFolder, tick: Callable[[], None]) -> set[int]:
    """Every token id in the prompts and answers that can be learned from, in the labels and in the marks of a
    conversation, with the chat template of the model in `folder`."""
    encoder = Encoder(folder)
    used = set(encoder.ids(encoder.render(_ROLES)))
    for label in data.template.labels:
        used.update(encoder.answer_ids(label))
    for split in _SPLITS:
        for row in data.rows(split):
            tick()
            used.update(encoder.prompt_ids(data.template, row))
            if row.output is not None:
                used.update(encoder.row_answer_ids(data.template, row))
    return used


def _names(node: Any) -> Iterator[str]:
    """Tokens that settings mention: `unk_token: "<unk>"`, `tokens: ["<s>"]`, `sep: ["</s>", 2]`, lists of special ones."""
    if isinstance(node, list):
        for item in node:
            yield from _names(item)
        return
    for key, value in node.items() if isinstance(node, dict) else ():
        if key in ("model", "added_tokens", "vocab", "merges"):
            continue
        if key.endswith("_token") and value:
            yield value["content"] if isinstance(value, dict) else str(value)
        elif key in ("tokens", "sep", "cls") or key.endswith("special_tokens"):
            yield from (item for item in value if isinstance(item, str))
        yield from _names(value)


def _renumbered(node: Any, new: dict[str, int]) -> Any:
    """The same settings with the new id wherever a token's id stands beside its name."""
    if isinstance(node, list):
        return [_renumbered(item, new) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: value if key == "model" else _renumbered(value, new) for key, value in node.items()}
    for key, value in node.items():
        if key == "id" and "content" in node:
            made[key] = new[node["content"]]
        elif key == "ids" and "tokens" in node:
            made[key] = [new[token] for token in node["tokens"]]
        elif key in ("sep", "cls") and isinstance(value, list):
            made[key] = [value[0], new[value[0]]]
        elif key == "pad_id":
            made[key] = new[node["pad_token"]]
    return made


def _types(node: Any) -> set[str]:
    """The types in a pre-tokenizer or decoder, those of a sequence too."""
    if isinstance(node, list):
        return set().union(*map(_types, node))
    if not isinstance(node, dict):
        return set()
    return {str(node.get("type"))}.union(*(_types(value) for value in node.values()))


def _json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content
