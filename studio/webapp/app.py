"""The web application: the Streamlit pages with our own routes beside them."""

from __future__ import annotations

from importlib.metadata import version

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from studio.paths import HERE
from studio.ui.shared import api_cache
from studio.webapp.files import routes
from studio.webapp.palette import palette_routes
from studio.webapp.review import review_routes


async def health(_request: Request) -> JSONResponse:
    """`GET /api/health`: the process answers; says nothing about the data."""
    return JSONResponse({"status": "ok", "version": version("slmops-studio")})


app = st.App(
    HERE / "app.py",
    routes=[
        Route("/api/health", health),
        *routes(api_cache.studio),
        *review_routes(api_cache.studio),
        *palette_routes(api_cache.studio),
    ],
)
