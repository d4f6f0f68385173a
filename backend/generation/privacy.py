"""Personal data is named before rows leave this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

from backend.core.errors import Problem
from backend.core.refs import endpoints_of
from backend.core.stage import Params, World

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def check_personal(params: Params, data: str, world: World) -> list[Problem]:
    """A warning when rows with personal data or keys (the dataset's fact `personal`) go to an endpoint elsewhere."""
    known = world.describe(data)
    count = known.facts.get("personal", 0) if known else 0
    if not count:
        return []
    addresses = {field: found.url for field, name in endpoints_of(params).items() if (found := world.endpoint(name))}
    if once := getattr(params, "endpoint_url", ""):
        addresses["endpoint_url"] = once
    away = [field for field, url in addresses.items() if urlsplit(url).hostname not in _THIS_MACHINE]
    args = {"count": count, "ref": data}
    return [Problem(code="gates.personal_leaves", args=args, field=field, blocking=False) for field in away[:1]]
