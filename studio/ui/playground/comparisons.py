"""Two models answer one prompt, in an order drawn by chance that only this process knows until the vote. Draws nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from backend.api.arena import ArenaPrompt, Vote, Winner
from studio.ui.playground.chats import Answer, Chat, ChatStore

_CHANCE = random.SystemRandom()


@dataclass
class Comparison:
    """`chat` holds the two answers in the order in which they stand; its id is that of the vote."""

    chat: Chat
    prompt: ArenaPrompt
    vote: Vote | None = None

    @property
    def id(self) -> str:
        return self.chat.id

    @property
    def answers(self) -> list[Answer]:
        return list(self.chat.turns[0].answers.values())

    @property
    def busy(self) -> bool:
        return self.chat.busy

    @property
    def failed(self) -> bool:
        """A model did not finish its answer: there is nothing to compare."""
        return not self.busy and any(answer.end is None for answer in self.answers)

    def as_vote(self, winner: Winner, names: Sequence[str]) -> Vote:
        first, second = self.answers
        return Vote(
            id=self.id,
            prompt=self.prompt.input,
            messages_a=first.messages,
            messages_b=second.messages,
            model_a=first.model,
            model_b=second.model,
            name_a=names[0],
            name_b=names[1],
            answer_a=first.text,
            answer_b=second.text,
            winner=winner,
            sampling=first.sampling.model_dump(exclude={"full_length"}),
            dataset=self.prompt.dataset,
            row=self.prompt.row,
        )


def two_of(models: Sequence[str]) -> list[str]:
    """Any two, in any order."""
    return _CHANCE.sample(models, 2)


class ComparisonStore:
    """The last ones of all sessions; the oldest makes room, and its answers end."""

    def __init__(self) -> None:
        self._chats = ChatStore()
        self._all: dict[str, Comparison] = {}

    def find(self, comparison: str) -> Comparison | None:
        return self._all.get(comparison)

    def add(self, made: Comparison) -> None:
        self._chats.add(made.chat)
        self._all[made.id] = made
        for gone in [each for each in self._all if self._chats.find(each) is None]:
            self._all.pop(gone, None)
