"""What goes wrong with a hub, told in sentences of the studio. No text of the hub's is repeated: it may hold anything."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from backend.core.errors import StudioError

_QUOTA = ("quota", "storage limit", "storage space", "payment required")


@contextmanager
def told(host: str, repo: str, url: str, revision: str = "") -> Iterator[None]:
    """Raises StudioError for every failure of huggingface_hub and the network below it."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import EntryNotFoundError, FileMetadataError

    try:
        yield
    except (HTTPError, OSError, EntryNotFoundError, FileMetadataError) as error:
        raise _sentence(error, host, repo, url, revision) from None


@contextmanager
def told_push(host: str, repo: str) -> Iterator[None]:
    """The same of what goes out: the library packs some of it into RuntimeError and ValueError."""
    from httpx2 import HTTPError

    try:
        yield
    except StudioError:
        raise
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        raise _push_sentence(error, host, repo) from None


def _push_sentence(error: BaseException, host: str, repo: str) -> StudioError:
    from huggingface_hub import errors

    text = ""
    for each in _chain(error):
        text += str(each).lower()
        if isinstance(each, errors.HfHubHTTPError) and each.response is not None:
            status = each.response.status_code
            text += each.response.headers.get("X-Error-Message", "").lower()
            if status in (402, 413, 507) or any(word in text for word in _QUOTA):
                return StudioError("hub.push_quota", host=host)
            if status == 403:
                return StudioError("hub.push_forbidden", host=host, repo=repo)
            if status == 409:
                return StudioError("hub.push_exists", field="repo", repo=repo)
            if status in (400, 422):
                return StudioError("hub.push_refused", host=host, repo=repo, status=status)
    if isinstance(error, ValueError):  # of the LFS endpoint, which answers with 200 and errors of files
        return StudioError("hub.push_quota" if any(word in text for word in _QUOTA) else "hub.push_files", host=host)
    return _sentence(error, host, repo, "", "")


def _chain(error: BaseException) -> list[BaseException]:
    found = [error]
    while (before := found[-1].__cause__ or found[-1].__context__) is not None and before not in found:
        found.append(before)
    return found


def _sentence(error: BaseException, host: str, repo: str, url: str, revision: str) -> StudioError:
    from huggingface_hub import errors

    chain = _chain(error)
    for each in chain:
        if isinstance(each, OSError) and each.errno in (errno.ENOSPC, errno.EDQUOT):
            return StudioError("core.disk_full", path="SLMOPS_HOME")
        if isinstance(each, ssl.SSLCertVerificationError):
            return StudioError("hub.certificate", host=host, reason=each.verify_message)
        if isinstance(each, errors.OfflineModeIsEnabled):
            return StudioError("hub.offline")
        if isinstance(each, errors.GatedRepoError):
            return StudioError("hub.gated", field="repo", repo=repo, url=url)
        if isinstance(each, errors.RevisionNotFoundError):
            return StudioError("hub.revision_missing", field="revision", repo=repo, revision=revision)
        if isinstance(each, errors.RepositoryNotFoundError):
            return StudioError("hub.not_found", field="repo", repo=repo, host=host)
        if isinstance(each, errors.HfHubHTTPError) and each.response is not None:
            return _status(each.response.status_code, each.response.headers.get("Retry-After", ""), host, repo)
    return StudioError("hub.unreachable", host=host, reason=type(chain[-1]).__name__)


def _status(status: int, wait: str, host: str, repo: str) -> StudioError:
    if status == 401:
        return StudioError("hub.token_refused", host=host)
    if status == 403:
        return StudioError("hub.forbidden", host=host, repo=repo)
    if status == 404:
        return StudioError("hub.not_found", field="repo", repo=repo, host=host)
    if status == 429:
        known = wait.strip().isdecimal()
        return (
            StudioError("hub.rate_limited", host=host, wait=int(wait))
            if known
            else StudioError("hub.rate_limited_unknown", host=host)
        )
    return StudioError("hub.status", host=host, status=status)
