"""How huggingface_hub reaches a hub: as endpoints are reached, by the same proxies and certificates.

Its downloads are sent on to other hosts, so the proxy is chosen for each address and not once for the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.core.errors import StudioError
from backend.providers.network import Proxy, proxy_for, proxy_tls, tls

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS, SILENT_SECONDS = 30.0, 120.0
"""A hub that says nothing for so long is not waited for."""


def hub_client() -> httpx2.Client:
    """For `huggingface_hub.set_client_factory`."""
    import httpx2
    from huggingface_hub.utils._http import hf_request_event_hook

    class Routed(httpx2.BaseTransport):
        """A transport for each proxy. Raises StudioError for a proxy or certificate that can't be used."""

        def __init__(self) -> None:
            self._kept: dict[str, httpx2.HTTPTransport] = {}

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            proxy = proxy_for(str(request.url))
            key = proxy.url if proxy else ""
            if key not in self._kept:
                self._kept[key] = _transport(proxy)
            return self._kept[key].handle_request(request)

        def close(self) -> None:
            for each in self._kept.values():
                each.close()

    return httpx2.Client(
        transport=Routed(),
        event_hooks={"request": [hf_request_event_hook]},
        follow_redirects=True,
        timeout=httpx2.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS, pool=None),
        trust_env=False,
    )


def _transport(proxy: Proxy | None) -> httpx2.HTTPTransport:
    import httpx2

    try:
        via = httpx2.Proxy(proxy.url, ssl_context=proxy_tls(proxy.url)) if proxy else None
        return httpx2.HTTPTransport(verify=tls(), trust_env=False, proxy=via)
    except ImportError:
        shown, variable = (proxy.shown, proxy.variable) if proxy else ("", "")
        raise StudioError("network.socks", proxy=shown, variable=variable) from None
    except (ValueError, httpx2.InvalidURL):
        raise StudioError("network.proxy_address", variable=proxy.variable if proxy else "HTTPS_PROXY") from None
