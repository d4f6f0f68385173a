"""Rows of votes in the blind arena."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from backend.data.votes import Vote
from backend.db import tables as t
from backend.db.reviews import ReviewQueries


class PeopleQueries(ReviewQueries):
    """Mixed into `Store`: what people say of answers, reviews and votes."""

    def add_vote(self, project: str, vote: Vote) -> Vote:
        """Returns what is stored: the first vote on a comparison counts, for after it the names are known."""
        with self.session() as session:
            known = session.get(t.Vote, vote.id) is not None
        if not known:
            with suppress(IntegrityError), self.session() as session:  # another one may be faster
                session.add(t.Vote(**vote.model_dump(exclude={"at"}), project_id=project))
        with self.session() as session:
            return Vote.model_validate(session.get_one(t.Vote, vote.id), from_attributes=True)

    def votes(self, project: str) -> list[Vote]:
        """Oldest first."""
        query = select(t.Vote).where(t.Vote.project_id == project).order_by(t.Vote.at, t.Vote.id)
        with self.session() as session:
            return [Vote.model_validate(row, from_attributes=True) for row in session.scalars(query)]
