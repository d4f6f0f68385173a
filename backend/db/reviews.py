"""Rows of reviews: what people say of a teacher's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.data.decisions import Decision, Verdict
from backend.db import tables as t


class ReviewQueries:
    """Mixed into `Store`."""

    session: Callable[[], AbstractContextManager[Session]]

    def save_review(self, dataset: str, said: Decision) -> None:
        """The last word on a row counts. Two that say the first at once both succeed."""
        try:
            self._save(dataset, said)
        except IntegrityError:  # the other one was faster: now there is a row to change
            self._save(dataset, said)

    def _save(self, dataset: str, said: Decision) -> None:
        with self.session() as session:
            session.merge(t.Review(dataset=dataset, **said.model_dump(), at=t.now()))

    def reviews(
        self, dataset: str, *, since: datetime | None = None, rows: Iterable[str] | None = None
    ) -> list[tuple[Decision, datetime]]:
        """What was said and when, oldest first, what was taken back included; only of `rows`, only from `since` on."""
        query = select(t.Review).where(t.Review.dataset == dataset).order_by(t.Review.at, t.Review.row)
        if since is not None:
            query = query.where(t.Review.at >= since)
        if rows is not None:
            query = query.where(t.Review.row.in_(list(rows)))
        with self.session() as session:
            return [
                (Decision.model_validate(row, from_attributes=True), row.at) for row in session.scalars(query).all()
            ]

    def verdicts(self, dataset: str) -> dict[str, Verdict]:
        """Row -> what people made of it, of the rows that are decided."""
        columns = (t.Review.row, t.Review.decision, t.Review.output.is_not(None))
        query = select(*columns).where(t.Review.dataset == dataset, t.Review.decision.is_not(None))
        with self.session() as session:
            return {row: verdict(decision, edited) for row, decision, edited in session.execute(query)}


def verdict(decision: str | None, edited: bool) -> Verdict:
    """A decision of the store in one word."""
    return "rejected" if decision == "reject" else "edited" if edited else "accepted"
