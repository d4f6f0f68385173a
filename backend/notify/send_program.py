"""Sends one message by Apprise: `{"url", "title", "body"}` on stdin, `{"sent", "code", "reason"}` on stdout.

A process of its own, since Apprise loads more than a hundred services, and a mail server may keep a connection open for as
long as it likes. What it says of a failure holds no part of the URL.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any

_MAX_REASON = 200


def send(url: str, title: str, body: str) -> dict[str, Any]:
    """Raises nothing: what goes wrong is in the answer."""
    import apprise

    service = apprise.Apprise()
    if not service.add(url):
        return {"sent": False, "code": "notify.address_bad", "reason": ""}
    capture: Any = apprise.LogCapture
    with capture(level=logging.WARNING, fmt="%(message)s") as said:
        sent = bool(service.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))
        reason = said.getvalue()
    return {"sent": sent, "code": "" if sent else "notify.refused", "reason": "" if sent else _plain(reason, url)}


def _plain(reason: str, url: str) -> str:
    """The last line, without anything that the address says."""
    lines = [line.strip() for line in reason.splitlines() if line.strip()]
    text = lines[-1] if lines else ""
    for part in sorted(re.split(r"[:/@?&=#,]+", url.partition("://")[2]), key=len, reverse=True):
        text = text.replace(part, "…") if len(part) > 3 else text
    return text[:_MAX_REASON]


def main() -> None:
    asked = json.load(sys.stdin)
    json.dump(send(asked["url"], asked["title"], asked["body"]), sys.stdout)


if __name__ == "__main__":
    main()
