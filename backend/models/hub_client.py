"""How a hub is reached: its address, whether the user allows it, and huggingface_hub set up as the environment says now."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from backend.core.errors import StudioError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

HUB = "https://huggingface.co"
ASKED_OFFLINE = "SLMOPS_ASKED_OFFLINE"
"""In the environment of a job: "1" where the user forbade the hub. Jobs run with HF_HUB_OFFLINE=1 in any case."""
CHUNK = 1 << 18
"""Bytes that a cut connection loses at most; the library's own 10 MB would be fetched again with every cut."""
_make: Callable[[], Any] | None = None
_settled: tuple[object, ...] = ()
_lock = threading.Lock()
_NETWORK = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir", "slmops_ca_file")
_REPO = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?")


def offline() -> bool:
    """Whether the user forbade to ask the hub."""
    said = os.environ.get(ASKED_OFFLINE)
    if said is None:
        said = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return said.strip().upper() in ("1", "ON", "YES", "TRUE")


def endpoint() -> str:
    """The hub's address: HF_ENDPOINT where it is set."""
    return (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")


def host() -> str:
    """The hub's name in sentences, without what an address may hold of a password."""
    return urlsplit(endpoint()).hostname or endpoint()


def is_repo(name: str) -> bool:
    """Whether a repository can have this name."""
    return bool(_REPO.fullmatch(name)) and ".." not in name


def use_client(make: Callable[[], Any]) -> None:
    """`make` gives the HTTP client by which huggingface_hub asks, from the next question on."""
    global _make
    _make = make


def open_api(token: str | None) -> HfApi:
    """The library as the environment says now: it reads its switches once, at its import. Raises StudioError offline."""
    if offline():
        raise StudioError("hub.offline")
    from huggingface_hub import HfApi, constants
    from huggingface_hub.utils.tqdm import disable_progress_bars

    constants.HF_HUB_OFFLINE = False
    constants.HF_HUB_DISABLE_TELEMETRY = True
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK
    if endpoint() != HUB:
        constants.HF_HUB_DISABLE_XET = True
    disable_progress_bars()
    _settle_client()
    return HfApi(endpoint=endpoint(), token=token or False, library_name="slmops-studio")


def _settle_client() -> None:
    """Once for an environment: the library keeps a client and its connections."""
    global _settled
    now = (_make, *(os.environ.get(spelt) for name in _NETWORK for spelt in (name, name.upper())))
    with _lock:
        if _make is not None and now != _settled:
            from huggingface_hub import set_client_factory

            set_client_factory(_make)
            _settled = now
