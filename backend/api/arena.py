"""The blind arena: votes on answers whose models are hidden, the standings, and preference pairs of the votes."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any

from backend.core.errors import StudioError
from backend.core.schemas import Kind, View
from backend.core.settings import Settings
from backend.data.dataset import DataFolder, gold_answer
from backend.data.votes import SHARES, Pairs, Vote, Winner, pair_lines, preference_pairs
from backend.db import Store
from backend.stats.bradley_terry import all_met, rating_intervals, ratings, win_matrix

__all__ = ["ENOUGH_VOTES", "Arena", "ArenaPrompt", "Pairs", "Standing", "Standings", "Vote", "Winner"]
ENOUGH_VOTES = 30
"""With fewer it is too early to tell models apart: a pair of two has then an interval of over 250 points."""
_ROWS_SEEN = 1_000


class Standing(View):
    """A model's rating with its 95 % interval; `share`: wins and half of the ties, of its votes."""

    model: str
    name: str
    rating: float
    low: float
    high: float
    votes: int
    share: float


class Standings(View):
    """Best first. `connected`: whether all models have met, directly or through others."""

    models: list[Standing]
    votes: int
    connected: bool

    @property
    def early(self) -> bool:
        return self.votes < ENOUGH_VOTES


class ArenaPrompt(View):
    """A row to ask; `expected`: its answer in the dataset."""

    input: str
    expected: str | None = None
    dataset: str = ""
    row: str = ""


class Arena:
    """`studio.arena`; `project` is an id."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings

    def vote(self, project: str, vote: Vote) -> Vote:
        """Returns what counts: the first vote on a comparison."""
        return self._store.add_vote(project, vote)

    def votes(self, project: str) -> list[Vote]:
        """Oldest first."""
        return self._store.votes(project)

    def standings(self, project: str) -> Standings:
        return standings(self.votes(project))

    def next_row(self, project: str, dataset: str, skip: Collection[str] = ()) -> ArenaPrompt:
        """The first of the validation rows with the fewest votes, of those that are not to be skipped where there are others.
        Test rows are left for the final score. Raises StudioError for a dataset without validation rows."""
        view = self._store.artifact(dataset, (Kind.DATASET,))
        rows = [row for row in islice(DataFolder(view.path).rows("validation"), _ROWS_SEEN) if not row.context]
        if not rows:
            raise StudioError("arena.no_rows", ref=view.name, field="dataset")
        asked = Counter(vote.row for vote in self.votes(project) if vote.dataset == view.id)
        row = min(rows, key=lambda each: (each.id in skip, asked[each.id]))
        return ArenaPrompt(input=row.input, expected=gold_answer(row), dataset=view.id, row=row.id)

    def pairs(self, project: str) -> Pairs:
        return preference_pairs(self.votes(project))

    def pair_params(self, project: str, name: str) -> dict[str, Any]:
        """What the stage `dataset` needs to make a dataset of the pairs as they stand now. Raises StudioError without any."""
        text = pair_lines(self.pairs(project).rows)
        if not text:
            raise StudioError("arena.no_pairs")
        file = self._settings.pairs / project / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.jsonl"
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(".partial")
            partial.write_text(text, encoding="utf-8")
            partial.replace(file)
        return {"source": str(file), "name": name, "data_schema": "preference", "answer": "text"}


def standings(said: Iterable[Vote]) -> Standings:
    """Of these votes; a model has the name that its last vote knew."""
    votes = list(said)
    names: dict[str, str] = {}
    for vote in votes:
        names |= {vote.model_a: vote.name_a, vote.model_b: vote.name_b}
    at = {model: place for place, model in enumerate(names)}
    told = [(at[vote.model_a], at[vote.model_b], SHARES[vote.winner]) for vote in votes]
    if not told:
        return Standings(models=[], votes=0, connected=True)
    won: dict[int, list[float]] = defaultdict(list)
    for first, second, share in told:
        won[first].append(share)
        won[second].append(1 - share)
    found, (low, high) = ratings(told, len(at)), rating_intervals(told, len(at))
    models = [
        Standing(
            model=model,
            name=names[model],
            rating=float(found[place]),
            low=float(low[place]),
            high=float(high[place]),
            votes=len(won[place]),
            share=sum(won[place]) / len(won[place]),
        )
        for model, place in at.items()
    ]
    models.sort(key=lambda each: -each.rating)
    return Standings(models=models, votes=len(told), connected=all_met(win_matrix(told, len(at))))
