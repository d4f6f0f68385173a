"""The part of the facade that is about saved endpoints."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from backend.core.endpoints import EndpointTestResult, EndpointView, SavedEndpoint, check_placeholders
from backend.core.errors import Problem, StudioError
from backend.core.validation import value_problems
from backend.db import Store
from backend.files import disk
from backend.providers.client import check_endpoint, check_key_name


class Endpoints:
    """Mixed into `backend.api.Studio`."""

    store: Store

    def endpoints(self) -> list[EndpointView]:
        """By name."""
        return self.store.endpoints()

    def endpoint(self, name: str) -> EndpointView:
        """Raises StudioError when there is none."""
        found = self.store.find_endpoint(name)
        if found is None:
            raise StudioError("endpoints.unknown", name=name)
        return found

    def check_endpoint(self, values: dict[str, Any], new: bool) -> list[Problem]:
        """All that is wrong with what was filled in, one problem a field; `new`: the name must be free."""
        found: dict[str | None, Problem] = {}
        try:
            SavedEndpoint.model_validate(values)
        except ValidationError as error:
            found = {problem.field: problem for problem in value_problems(error)}
        name, url, model, key = (str(values.get(field) or "").strip() for field in ("name", "url", "model", "key_env"))
        for problem in [
            *check_placeholders(url),
            *check_endpoint(url, model, ("url", "model")),
            *check_key_name(key, "key_env"),
        ]:
            found.setdefault(problem.field, _short(problem))
        if new and self.store.find_endpoint(name):
            found.setdefault("name", Problem(code="endpoints.taken", args={"name": name}, field="name"))
        return list(found.values())

    def save_endpoint(self, values: dict[str, Any], new: bool = True) -> EndpointView:
        """Add one, or without `new` replace the one of that name. Raises StudioError with all that is wrong."""
        if problems := self.check_endpoint(values, new):
            raise StudioError.of(problems)
        found = SavedEndpoint.model_validate(values)
        self.store.save_endpoint(found)
        return self.endpoint(found.name)

    def delete_endpoint(self, name: str) -> None:
        """Raises StudioError when there is none or an open job names it."""
        self.endpoint(name)
        if job := disk.references_in_use(self.store).get(name):
            raise StudioError("endpoints.used", name=name, job=job)
        self.store.delete_endpoint(name)

    def test_endpoint(self, name: str) -> EndpointTestResult:
        """Ask it one short question and keep what that showed. Takes seconds; raises StudioError when it fails."""
        from backend.generation.endpoint_test import try_endpoint

        trial = try_endpoint(self.endpoint(name))
        self.store.save_trial(name, trial)
        return trial


def _short(problem: Problem) -> Problem:
    """The sentence for a form that has the address in view."""
    if problem.code == "chat.endpoint_url":
        return Problem(code="endpoints.address", field=problem.field)
    return (
        Problem(code="value.missing", field=problem.field) if problem.code == "chat.endpoint_model_missing" else problem
    )
