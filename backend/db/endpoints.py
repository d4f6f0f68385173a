"""Rows of saved endpoints."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from backend.core.endpoints import EndpointTestResult, EndpointView, SavedEndpoint
from backend.db import tables as t


class EndpointQueries:
    """Mixed into `Store`."""

    session: Callable[[], AbstractContextManager[Session]]

    def endpoints(self) -> list[EndpointView]:
        """By name."""
        with self.session() as session:
            return [_view(row) for row in session.scalars(select(t.Endpoint).order_by(t.Endpoint.name))]

    def find_endpoint(self, name: str) -> EndpointView | None:
        with self.session() as session:
            row = session.get(t.Endpoint, name)
            return _view(row) if row else None

    def save_endpoint(self, endpoint: SavedEndpoint) -> None:
        """Add it, or replace the one of that name with its trial: another address has to be tried again."""
        values = endpoint.model_dump(include=set(SavedEndpoint.model_fields))
        with self.session() as session:
            session.merge(t.Endpoint(**values, trial=None))

    def save_trial(self, name: str, trial: EndpointTestResult) -> None:
        with self.session() as session:
            session.execute(update(t.Endpoint).where(t.Endpoint.name == name).values(trial=trial.model_dump()))

    def save_key_kept(self, name: str, kept: bool) -> None:
        """Whether the keyring has the key; an answer to another key is no trial of this one."""
        with self.session() as session:
            session.execute(update(t.Endpoint).where(t.Endpoint.name == name).values(key_kept=kept, trial=None))

    def delete_endpoint(self, name: str) -> None:
        with self.session() as session:
            session.execute(delete(t.Endpoint).where(t.Endpoint.name == name))


def _view(row: t.Endpoint) -> EndpointView:
    return EndpointView.model_validate({name: getattr(row, name) for name in EndpointView.model_fields})
