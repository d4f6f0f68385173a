"""How endpoints are reached: the proxy that the environment names, certificates, and a client without surprises.

httpx's own reading of the environment is off, because it sends requests to this machine through a proxy, fails with a
traceback at an IPv6 address in NO_PROXY, a missing SOCKS package or certificate file, and takes passwords from ~/.netrc.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import urllib.request
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import certifi
import httpx

from backend.core.errors import StudioError
from backend.providers.addresses import is_loopback

CA_VARIABLE = "SLMOPS_CA_FILE"
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


class Proxy(NamedTuple):
    """`variable`: where it was set, for people; `shown`: without its user and password."""

    url: str
    variable: str

    @property
    def shown(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def open_client(url: str, headers: dict[str, str], timeout: float, connections: int) -> httpx.Client:
    """A client for one address that follows no redirect. `timeout` in seconds. Raises StudioError when a proxy or certificate
    that is set can't be used."""
    proxy = proxy_for(url)
    # without TLS there is nothing to verify, and a context takes 30 ms
    verify: ssl.SSLContext | bool = tls() if url.lower().startswith("https:") else False
    limits = httpx.Limits(max_connections=connections)
    try:
        via = httpx.Proxy(proxy.url, ssl_context=proxy_tls(proxy.url)) if proxy else None
        return httpx.Client(headers=headers, timeout=timeout, limits=limits, verify=verify, proxy=via, trust_env=False)
    except ImportError:
        raise StudioError("network.socks", proxy=proxy.shown if proxy else "", variable=_variable(proxy)) from None
    except (ValueError, httpx.InvalidURL):
        raise StudioError("network.proxy_address", variable=_variable(proxy)) from None


def proxy_for(url: str) -> Proxy | None:
    """The proxy for an address, from HTTPS_PROXY, HTTP_PROXY and ALL_PROXY or the system's settings; None for this machine
    itself and for what NO_PROXY lists. Raises StudioError for a proxy of a kind that can't be used."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    proxies = urllib.request.getproxies()
    found = next((kind for kind in (parts.scheme, "all") if proxies.get(kind)), None)
    if found is None or is_loopback(host) or bypasses(host, port, proxies.get("no", "")):
        return None
    variable = next((name for name in (f"{found}_proxy", f"{found.upper()}_PROXY") if os.environ.get(name)), "")
    if not variable and urllib.request.proxy_bypass(host):  # the system's own list
        return None
    address = proxies[found].strip()
    address = address if "://" in address else f"http://{address}"
    address = f"socks5h{address[5:]}" if address.lower().startswith("socks:") else address
    variable = variable or "HTTPS_PROXY"
    try:
        sound = urlsplit(address).scheme.lower() in _PROXY_SCHEMES and bool(urlsplit(address).hostname)
    except ValueError:
        sound = False
    if not sound:
        raise StudioError("network.proxy_address", variable=variable)
    return Proxy(address, variable)


def bypasses(host: str, port: int, listed: str) -> bool:
    """Whether a list as in NO_PROXY has a host: `*`, names and what lies below them, addresses of both kinds with or without
    brackets, networks (`10.0.0.0/8`), each with a port if that matters."""
    host = host.rstrip(".").lower()
    return any(_matches(host, port, entry.strip().lower()) for entry in listed.split(",") if entry.strip())


def _matches(host: str, port: int, entry: str) -> bool:
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        pass
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdigit():
        if int(wanted) != port:
            return False
        return _matches(host, port, name)
    name = entry.removeprefix("*").strip("[]").lstrip(".")
    return host == name or host.endswith(f".{name}")


def _variable(proxy: Proxy | None) -> str:
    return proxy.variable if proxy else "HTTPS_PROXY"


def _ca_settings() -> tuple[str, str, str]:
    return tuple(os.environ.get(name, "").strip() for name in (CA_VARIABLE, "SSL_CERT_FILE", "SSL_CERT_DIR"))  # type: ignore[return-value]


def tls() -> ssl.SSLContext:
    """The certificates that are trusted, as the environment says now. Raises StudioError where they can't be used."""
    return _context(*_ca_settings())


def proxy_tls(url: str) -> ssl.SSLContext | None:
    """For a proxy that is itself reached by TLS."""
    return tls() if url.lower().startswith("https:") else None


@lru_cache(maxsize=4)
def _context(own: str, file: str, folder: str) -> ssl.SSLContext:
    """The certificates of SSL_CERT_FILE or SSL_CERT_DIR in place of the usual ones, as everywhere; else certifi's and the
    system's; those of SLMOPS_CA_FILE besides. Raises StudioError for a file that isn't there or holds none."""
    for variable, path, exists in (
        (CA_VARIABLE, own, Path.is_file),
        ("SSL_CERT_FILE", file, Path.is_file),
        ("SSL_CERT_DIR", folder, Path.is_dir),
    ):
        if path and not exists(Path(path)):
            raise StudioError("network.ca_missing", variable=variable, path=path)
    try:
        context = ssl.create_default_context(cafile=file or None, capath=folder or None)
    except (ssl.SSLError, OSError) as error:
        raise StudioError("network.ca_unreadable", variable="SSL_CERT_FILE", path=file, reason=str(error)) from None
    if not file and not folder:
        context.load_verify_locations(certifi.where())
    if own:
        try:
            context.load_verify_locations(own)
        except (ssl.SSLError, OSError) as error:
            raise StudioError("network.ca_unreadable", variable=CA_VARIABLE, path=own, reason=str(error)) from None
    return context
