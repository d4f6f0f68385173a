"""Personal data is named before rows leave this machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from backend.core.endpoints import SavedEndpoint
from backend.core.errors import Problem, StudioError
from backend.core.messages.words import PERSONAL
from backend.core.refs import endpoints_of
from backend.core.stage import Params, World
from backend.data.dataset import Row, Template
from backend.data.gates.masking import Masker
from backend.data.gates.personal import personal_data
from backend.data.gates.secrets import secrets

_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


def check_personal(params: Params, data: str, world: World) -> list[Problem]:
    """A warning when rows with personal data or keys (the dataset's facts `personal` and `personal_found`) go to an endpoint
    elsewhere; a problem where `params` can say what is to be done about it and does not."""
    known = world.describe(data)
    count = known.facts.get("personal", 0) if known else 0
    away = leaving(params, world.endpoint) if count else []
    if known is None or not away:
        return []
    found = known.facts.get("personal_found", "")
    args = {"count": count, "ref": data} | ({"found": found} if found else {})
    choice = getattr(params, "personal_data", None)
    if choice is None:
        return [Problem(code="gates.personal_leaves", args=args, field=away[0], blocking=False)]
    if choice == "mask":
        return []
    code = "teacher.personal_kinds" if found else "teacher.personal"
    if choice == "ask":
        return [Problem(code=code, args=args, field="personal_data")]
    return [Problem(code="gates.personal_leaves", args=args, field="personal_data", blocking=False)]


def leaving(params: Params, endpoint: Callable[[str], SavedEndpoint | None]) -> list[str]:
    """The fields that name an endpoint elsewhere than on this machine."""
    addresses = {field: found.url for field, name in endpoints_of(params).items() if (found := endpoint(name))}
    if once := getattr(params, "endpoint_url", ""):
        addresses["endpoint_url"] = once
    return [field for field, url in addresses.items() if elsewhere(url)]


def elsewhere(url: str) -> bool:
    """Whether an endpoint's address is that of another machine."""
    return urlsplit(url).hostname not in _THIS_MACHINE


class Leaving(NamedTuple):
    """The rows as they may be sent, and how many of them held personal data or keys of which kinds."""

    rows: list[Row]
    kinds: dict[str, int]
    held: int


def masked_rows(rows: Iterable[Row], answer: bool) -> Leaving:
    """The rows with personal data and keys replaced by placeholders; `answer`: also in their answers."""
    maskers = Masker(secrets), Masker(personal_data)
    made, count = [], 0
    for row in rows:
        before = sum(masker.counts.total() for masker in maskers)
        for masker in maskers:
            row = masker.row(row, answer)
        count += sum(masker.counts.total() for masker in maskers) > before
        made.append(row)
    found = Counter[str]()
    for masker in maskers:
        found.update({PERSONAL.get(kind, kind): times for kind, times in masker.counts.items()})
    return Leaving(made, dict(found.most_common()), count)


def rows_to_send(
    choice: str, away: bool, rows: list[Row], template: Template, ref: str, tell: Callable[[str, str], None]
) -> list[Row]:
    """The rows that go to a teacher. `choice`: "ask", "mask" or "send", which counts when one of those that read them is
    elsewhere (`away`). Raises StudioError, before anything is sent, when there is personal data and nobody has decided."""
    if not away:
        return rows
    checked = masked_rows(rows, template.answer != "label")
    if not checked.held:
        return rows
    found = ", ".join(f"{kind} ({times})" for kind, times in checked.kinds.items())
    if choice == "ask":
        raise StudioError("teacher.personal_kinds", field="personal_data", count=checked.held, ref=ref, found=found)
    done = "masked in what is sent" if choice == "mask" else "sent as it is"
    tell(f"Personal data or keys in {checked.held} of {len(rows)} rows: {found}; {done}.", "warning")
    return checked.rows if choice == "mask" else rows
