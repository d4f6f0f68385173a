"""Starts the web process: `python -m studio.webapp.launch [--host H] [--port P]`.

Our own uvicorn instead of `streamlit run`, for three reasons: connections keep TCP_NODELAY (a keep-alive request takes
2 ms instead of 44), garbage is not collected after each script run, and the gates of `access` stand before everything.
Beyond loopback a token is asked for: SLMOPS_TOKEN, or one that is made up and printed.
"""

from __future__ import annotations

import argparse
import gc
import os
import secrets
import signal
import socket
import sys
from typing import TYPE_CHECKING, Any

from backend.core.programs import Programs
from studio.paths import HERE

if TYPE_CHECKING:
    from starlette.types import ASGIApp


def options(host: str, port: int) -> dict[str, Any]:
    """Streamlit's options: quiet, local, no usage statistics, nothing fetched from outside."""
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        # Two tabs that walk at once could ask for a kept message that the browser no longer has, which ends the page.
        "global.minCachedMessageSize": 1e9,
        "server.enableStaticServing": True,
        "browser.gatherUsageStats": False,
        "runner.postScriptGC": False,
        "client.toolbarMode": "viewer",
        "client.showErrorLinks": "false",
        "client.showErrorDetails": "type",
        "logger.hideWelcomeMessage": True,
        "theme.base": str(HERE / "theme.toml"),
    }


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: who connects before the server is ready waits. Raises OSError.

    asyncio sets TCP_NODELAY only on sockets that were made with the protocol named."""
    family, kind, _proto, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(address)
    bound.listen(2048)
    return bound


def configure(host: str, port: int) -> None:
    """Hand Streamlit its options, those of STREAMLIT_* variables over ours."""
    from streamlit import config
    from streamlit.web import bootstrap

    chosen = options(host, port)
    for key, option in config._config_options_template.items():
        if option.env_var in os.environ and not option.sensitive:
            chosen[key] = os.environ[option.env_var]
    config._main_script_path = str(HERE / "app.py")  # makes studio/static the folder behind app/static
    bootstrap.load_config_options(chosen)


def with_access_control(app: ASGIApp, host: str, port: int) -> ASGIApp:
    """`app` behind the gate that fits `host`; prints the address to open."""
    from studio.webapp.access import LOOPBACK, HostMiddleware, TokenMiddleware

    if host in LOOPBACK:
        print(f"SLMOps Studio: http://{'localhost' if host != '::1' else '[::1]'}:{port}", flush=True)  # noqa: T201
        return HostMiddleware(app)
    chosen = os.environ.get("SLMOPS_TOKEN")
    token = chosen or os.environ.get("SLMOPS_MADE_UP_TOKEN") or secrets.token_urlsafe(24)
    shown = "…" if chosen else token
    name = socket.gethostname() if host in ("0.0.0.0", "::") else host
    print(f"SLMOps Studio: http://{name}:{port}/?token={shown}", flush=True)  # noqa: T201
    return TokenMiddleware(app, token)


def serve(host: str, port: int) -> None:
    """Run until SIGINT or SIGTERM. Raises OSError when the address can't be had."""
    bound = listen(host, port)
    port = bound.getsockname()[1]
    configure(host, port)
    import uvicorn
    from streamlit.web.server.starlette.starlette_server import _get_uvicorn_config_kwargs

    from studio.ui import preload
    from studio.webapp.app import app

    preload()
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        with_access_control(app, host, port),
        log_level="warning",
        timeout_graceful_shutdown=3,
        **_get_uvicorn_config_kwargs(),
    )
    uvicorn.Server(config).run(sockets=[bound])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"python -m {Programs.WEB}", description="The web process of SLMOps Studio.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; beyond loopback a token is needed")
    parser.add_argument("--port", type=int, default=8501, help="0 takes any free one")
    chosen = parser.parse_args(argv)
    # uvicorn stops gracefully, then raises the signal again: a stop that was asked for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        serve(chosen.host, chosen.port)
    except OSError as error:
        print(  # noqa: T201
            f"{chosen.host}:{chosen.port} can't be used: {error.strerror}. Stop the other program or give another --port.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
