"""Rows of a dataset as token ids to learn from. No torch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import zip_longest

from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template

IGNORE_INDEX = -100


@dataclass
class EncodedExamples:
    """`items`: input_ids and labels, where labels hold the answers with their ends of turn and IGNORE elsewhere.
    `truncated`: prompts that lost their beginning; `too_long`: rows whose answer (or steps) alone is too long; `merged`:
    rows that are learned within the sequence of a later turn; `split`: turns of a conversation that are sequences of their
    own, as the chat template writes earlier turns otherwise or the whole is too long; `equal`: pairs of one and the same
    answer. `packed`: the items are blocks of running text, which are no answers."""

    items: list[dict[str, list[int]]] = field(default_factory=list)
    truncated: int = 0
    too_long: int = 0
    merged: int = 0
    split: int = 0
    equal: int = 0
    packed: bool = False

    @property
    def tokens(self) -> int:
        return sum(len(item["input_ids"]) for item in self.items)


def encode_rows(
    encoder: Encoder, template: Template, rows: Iterable[Row], max_length: int, *, merge: bool = False
) -> EncodedExamples:
    """Rows with an answer, as ids of at most `max_length` tokens. A long prompt loses its beginning, an answer nothing.

    `merge`: the answers of one conversation are learned in one sequence, each from the very tokens that it is learned from
    alone: where the sequence of a turn is the beginning of a later turn's prompt. By default each row is an item, in the
    order of `rows`. Raises StudioError when the chat template has no place for a row's tools."""
    turns: list[tuple[str, bool]] = []
    examples = EncodedExamples()
    for row in rows:
        if row.output is None:
            continue
        answer = encoder.row_answer_ids(template, row)
        left = max_length - len(answer)
        if left < 1:
            examples.too_long += 1
            continue
        whole = _add(examples, encoder.prompt_ids(template, row), answer, left)
        turns.append((row.conversation, whole))
    return _merged(examples, turns) if merge else examples


def pack(documents: Iterable[list[int]], length: int) -> tuple[EncodedExamples, int]:
    """Documents laid one behind the other and divided into blocks of `length` tokens: (the blocks, the tokens of the last one,
    which is not full and left out). Every token is learned but the first of a block, before which nothing stands."""
    found, held = EncodedExamples(packed=True), list[int]()
    for ids in documents:
        held += ids
        full = len(held) - len(held) % length
        blocks = [held[at : at + length] for at in range(0, full, length)]
        found.items += [{"input_ids": block, "labels": [IGNORE_INDEX, *block[1:]]} for block in blocks]
        held = held[full:]
    return found, len(held)


def encode_rationales(encoder: Encoder, template: Template, rows: Iterable[Row], max_length: int) -> EncodedExamples:
    """The rows with an answer and steps as examples of a task of their own, whose answer is the steps; cut as those of
    `encode_rows`."""
    asks = template.for_rationale()
    examples = EncodedExamples()
    for row in rows:
        if row.output is None or not row.rationale:
            continue
        rationale = encoder.answer_ids(row.rationale)
        left = max_length - len(rationale)
        if left < 1:
            examples.too_long += 1
            continue
        _add(examples, encoder.prompt_ids(asks, row), rationale, left)
    return examples


def encode_pairs(encoder: Encoder, template: Template, rows: Iterable[Row], max_length: int) -> EncodedExamples:
    """The rows with a preferred and a rejected answer: items as those of `encode_rows` are of the preferred one, and
    `rejected_ids`, which follow the same prompt. Both answers fit, or the row is left out."""
    examples = EncodedExamples()
    for row in rows:
        if row.output is None or row.rejected is None:
            continue
        chosen, rejected = encoder.row_answer_ids(template, row), encoder.answer_ids(row.rejected)
        left = max_length - max(len(chosen), len(rejected))
        if left < 1 or chosen == rejected:
            examples.too_long += left < 1
            examples.equal += left >= 1
            continue
        _add(examples, encoder.prompt_ids(template, row), chosen, left)
        examples.items[-1]["rejected_ids"] = rejected
    return examples


def encode_unpaired(encoder: Encoder, template: Template, rows: Iterable[Row], max_length: int) -> EncodedExamples:
    """Each answer of the rows, the preferred and the rejected, as an item of its own as those of `encode_rows`; `desirable`
    is 1 or 0."""
    examples = EncodedExamples()
    for row in rows:
        answers = [] if row.output is None else [(encoder.row_answer_ids(template, row), 1)]
        answers += [] if row.rejected is None else [(encoder.answer_ids(row.rejected), 0)]
        for answer, desirable in answers:
            left = max_length - len(answer)
            if left < 1:
                examples.too_long += 1
                continue
            _add(examples, encoder.prompt_ids(template, row), answer, left)
            examples.items[-1]["desirable"] = desirable  # type: ignore[assignment]
    return examples


def _add(examples: EncodedExamples, prompt: list[int], answer: list[int], left: int) -> bool:
    """Add an item with the last `left` tokens of a prompt; whether these are all."""
    whole = len(prompt) <= left
    examples.truncated += not whole
    prompt = prompt[-left:]
    examples.items.append({"input_ids": prompt + answer, "labels": [IGNORE_INDEX] * len(prompt) + answer})
    return whole


def _merged(examples: EncodedExamples, turns: list[tuple[str, bool]]) -> EncodedExamples:
    """The items of each conversation laid into one another, at the place of its first. `turns`: of each item its conversation
    ("" is none), and whether its prompt is whole."""
    places: dict[str, list[int]] = {}
    for place, (conversation, _) in enumerate(turns):
        if conversation:
            places.setdefault(conversation, []).append(place)
    items: list[dict[str, list[int]] | None] = [*examples.items]
    for asked in places.values():
        sequences = _laid_together([examples.items[place] for place in asked if turns[place][1]])
        sequences += [examples.items[place] for place in asked if not turns[place][1]]
        for place, sequence in zip_longest(asked, sequences):
            items[place] = sequence
        examples.merged += len(asked) - len(sequences)
        examples.split += len(sequences) - 1
    examples.items = [item for item in items if item is not None]
    return examples


def _laid_together(turns: list[dict[str, list[int]]]) -> list[dict[str, list[int]]]:
    """The fewest sequences that hold these turns: a turn takes up a sequence that its prompt begins with."""
    sequences: list[dict[str, list[int]]] = []
    for turn in sorted(turns, key=lambda item: len(item["input_ids"])):
        ids, labels = turn["input_ids"], turn["labels"]
        prompt = next((at for at, label in enumerate(labels) if label != IGNORE_INDEX), len(labels))
        for sequence in reversed(sequences):
            begun = len(sequence["input_ids"])
            if begun <= prompt and ids[:begun] == sequence["input_ids"]:
                sequence["input_ids"], sequence["labels"] = ids, sequence["labels"] + labels[begun:]
                break
        else:
            sequences.append({"input_ids": ids, "labels": labels})
    return sequences
