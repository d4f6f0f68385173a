"""Which addresses may be asked, before anything is sent: what is no address, what is a machine's metadata service, what the
administrator allows, and where a key would travel in plain text.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address

import httpx

from backend.core.endpoints import PRESETS
from backend.core.errors import Problem

HOSTS_VARIABLE = "SLMOPS_ENDPOINT_HOSTS"
_METADATA_NAMES = ("metadata.google.internal", "metadata.goog", "metadata", "instance-data")
_METADATA = tuple(map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10", "100.100.100.200/32", "168.63.129.16/32")))
_METADATA_V6 = (ipaddress.ip_network("fd00:ec2::/32"), ipaddress.ip_network("fd20:ce::/32"))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_Address = IPv4Address | IPv6Address


def check_endpoint(url: str, model: str, fields: tuple[str, str] = ("endpoint_url", "endpoint_model")) -> list[Problem]:
    """What is wrong with an address and a model name, without asking anybody; `fields` are their names in the form."""
    problems = []
    try:
        parts = httpx.URL(url)
        sound = parts.scheme in ("http", "https") and bool(parts.host)
        sound = sound and not (parts.userinfo or parts.query or parts.fragment or "#" in url)
    except httpx.InvalidURL:
        sound = False
    if not sound:
        shown = url.split("?")[0].rsplit("@", 1)[-1]
        problems.append(Problem(code="chat.endpoint_url", args={"url": shown}, field=fields[0]))
    elif code := forbidden(parts.host):
        problems.append(Problem(code=code, args={"host": parts.host, "variable": HOSTS_VARIABLE}, field=fields[0]))
    if not model.strip():
        problems.append(Problem(code="chat.endpoint_model_missing", field=fields[1]))
    return problems


def check_key_name(name: str, field: str) -> list[Problem]:
    """Only variables that are meant for this are sent to an address of the user's: their names end in API_KEY."""
    if not name or name.upper().endswith("API_KEY"):
        return []
    return [Problem(code="chat.endpoint_key_name", args={"name": name}, field=field)]


def key_warnings(url: str, key_env: str, has_key: bool, field: str = "url") -> list[Problem]:
    """What should be thought over before a key is sent there; none of it blocks."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return []
    found = []
    if (has_key or key_env) and parts.scheme == "http" and parts.host and not is_loopback(parts.host):
        found.append(Problem(code="wire.plain_http", args={"host": parts.host}, field=field, blocking=False))
    mine = (preset.url for preset in PRESETS.values() if preset.key_env and preset.key_env == key_env)
    usual = {httpx.URL(url).host for url in mine if url == url.lower()}  # others hold words to be replaced
    if usual and parts.host and parts.host not in usual and not is_loopback(parts.host):
        args = {"key_env": key_env, "usual": sorted(usual)[0], "host": parts.host}
        found.append(Problem(code="wire.other_host", args=args, field=field, blocking=False))
    return found


def forbidden(host: str) -> str:
    """Why a host may not be asked, as the code of an error; "" when it may. Names are not looked up here."""
    address = _address(host)
    if host.rstrip(".").lower() in _METADATA_NAMES or (address is not None and _is_metadata(address)):
        return "wire.metadata_host"
    allowed = [each.strip().lower() for each in os.environ.get(HOSTS_VARIABLE, "").split(",") if each.strip()]
    if allowed and not any(fnmatchcase(host.lower(), each) for each in allowed):
        return "wire.host_not_allowed"
    return ""


def resolves_to_metadata(host: str) -> bool:
    """Whether a name leads to a metadata service. Looks it up; False where that fails."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = (_address(str(entry[4][0])) for entry in found)
    return any(address is not None and _is_metadata(address) for address in addresses)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or number."""
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def _address(host: str) -> _Address | None:
    """The address that a host is, also in the odd forms that `inet_aton` takes (2852039166, 0xA9FEA9FE) and as IPv6 that
    holds an IPv4; None for a name."""
    host = host.strip("[]").partition("%")[0]
    try:
        found: _Address = ipaddress.ip_address(host)
    except ValueError:
        try:
            return IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeError):
            return None
    if isinstance(found, IPv6Address):
        if inside := found.ipv4_mapped or found.sixtofour:
            return inside
        if found in _NAT64:
            return IPv4Address(int(found) & 0xFFFFFFFF)
    return found


def _is_metadata(address: _Address) -> bool:
    return any(address in network for network in (*_METADATA, *_METADATA_V6))
