"""The part of the facade that is about saved endpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from backend.core.endpoints import EndpointTestResult, EndpointView, SavedEndpoint, check_placeholders
from backend.core.errors import Problem, StudioError
from backend.core.settings import Settings
from backend.core.validation import value_problems
from backend.db import Store
from backend.files import disk
from backend.jobs.resolve import job_keys
from backend.providers import keys
from backend.providers.addresses import check_endpoint, check_key_name, key_warnings
from backend.providers.extras import check_body, check_headers, parse_body, parse_headers
from backend.providers.quirks import QUIRKS_FILE


class Endpoints:
    """Mixed into `backend.api.Studio`."""

    store: Store
    settings: Settings

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
        """All that is wrong with what was filled in, one problem a field; `new`: the name must be free. Headers may be text,
        one `Name: value` a line, and body fields a text of JSON."""
        found: dict[str | None, Problem] = {}
        values = _parsed(values)
        if values.get("body") is None:
            found["body"] = Problem(code="wire.body_form", field="body")
            values["body"] = {}
        try:
            SavedEndpoint.model_validate(values)
        except ValidationError as error:
            found |= {problem.field: problem for problem in value_problems(error)}
        name, url, model, key = (str(values.get(field) or "").strip() for field in ("name", "url", "model", "key_env"))
        for problem in [
            *check_placeholders(url),
            *check_endpoint(url, model, ("url", "model")),
            *check_key_name(key, "key_env"),
            *check_headers(values["headers"]),
            *check_body(values["body"]),
        ]:
            found.setdefault(problem.field, _short(problem))
        if new and self.store.find_endpoint(name):
            found.setdefault("name", Problem(code="endpoints.taken", args={"name": name}, field="name"))
        return list(found.values())

    def endpoint_warnings(self, values: dict[str, Any], has_key: bool) -> list[Problem]:
        """What should be thought over before a key goes to what was filled in; it can be saved all the same."""
        url, key_env = (str(values.get(field) or "").strip() for field in ("url", "key_env"))
        return key_warnings(url, "" if has_key else key_env, has_key)

    def save_endpoint(self, values: dict[str, Any], new: bool = True) -> EndpointView:
        """Add one, or without `new` replace the one of that name. A kept key is forgotten when the host changes: it was typed
        for the other one. Raises StudioError with all that is wrong."""
        if problems := self.check_endpoint(values, new):
            raise StudioError.of(problems)
        found = SavedEndpoint.model_validate(_parsed(values))
        before = self.store.find_endpoint(found.name)
        if before and before.key_kept and origin(before.url) != origin(found.url):
            self.delete_key(found.name)
        self.store.save_endpoint(found)
        return self.endpoint(found.name)

    def delete_endpoint(self, name: str) -> None:
        """Raises StudioError when there is none or an open job names it."""
        self.endpoint(name)
        if job := disk.references_in_use(self.store).get(name):
            raise StudioError("endpoints.used", name=name, job=job)
        if self.endpoint(name).key_kept:
            self.delete_key(name)
        self.store.delete_endpoint(name)

    def keyring_problem(self) -> Problem | None:
        """Why this machine can't keep keys; None where it can."""
        return keys.unusable()

    def check_key(self, key: str, field: str) -> list[Problem]:
        """What is wrong with a typed key."""
        return keys.check_key(key, field)

    def set_key(self, name: str, key: str) -> None:
        """Keep the key of a saved endpoint in the keyring, in place of the one before. Raises StudioError."""
        self.endpoint(name)
        if problems := keys.check_key(key):
            raise StudioError.of(problems)
        keys.write(self.settings.home, name, key)
        self.store.save_key_kept(name, True)

    def delete_key(self, name: str) -> None:
        """Forget the kept key of an endpoint. Raises StudioError when none is kept or the keyring refuses."""
        if not self.endpoint(name).key_kept:
            raise StudioError("keys.none", name=name)
        keys.delete(self.settings.home, name)
        self.store.save_key_kept(name, False)

    def test_endpoint(self, name: str) -> EndpointTestResult:
        """Ask it a short question and keep what that showed. Takes seconds; raises StudioError when it fails."""
        from backend.generation.endpoint_test import try_endpoint

        trial = try_endpoint(self.endpoint(name), self._key(name), self._quirks)
        self.store.save_trial(name, trial)
        return trial

    def try_endpoint(self, values: dict[str, Any], key: str, name: str = "") -> EndpointTestResult:
        """The same for what was filled in and not saved yet; without a `key` that of the saved endpoint `name` counts, as long
        as the host is the same. Keeps nothing; raises StudioError."""
        from backend.generation.endpoint_test import try_endpoint

        problems = self.check_endpoint(values, new=not name) + (keys.check_key(key, "key") if key else [])
        if problems:
            raise StudioError.of(problems)
        found = SavedEndpoint.model_validate(_parsed(values))
        kept = name and origin(self.endpoint(name).url) == origin(found.url)
        return try_endpoint(found, key.strip() or (self._key(name) if kept else ""), self._quirks)

    @property
    def _quirks(self) -> Path:
        return self.settings.cache / QUIRKS_FILE

    def _key(self, name: str) -> str:
        return job_keys(self.store, self.settings, [name]).get(name, "")


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _parsed(values: dict[str, Any]) -> dict[str, Any]:
    """Headers and body fields as they are saved; a body that is no JSON object as None."""
    headers, body = values.get("headers") or {}, values.get("body") or {}
    return values | {"headers": parse_headers(headers), "body": parse_body(body)}


def _short(problem: Problem) -> Problem:
    """The sentence for a form that has the address in view."""
    if problem.code == "chat.endpoint_url":
        return Problem(code="endpoints.address", field=problem.field)
    return (
        Problem(code="value.missing", field=problem.field) if problem.code == "chat.endpoint_model_missing" else problem
    )
