"""The web application: the Streamlit pages with our own routes beside them."""

from __future__ import annotations

from importlib.metadata import version
from itertools import chain

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from studio.paths import HERE
from studio.ui.shared import api_cache
from studio.webapp.files import routes
from studio.webapp.live import live_routes
from studio.webapp.palette import palette_routes
from studio.webapp.project_address import ProjectAddress
from studio.webapp.review import review_routes


async def health(_request: Request) -> JSONResponse:
    """`GET /api/health`: the process answers; says nothing about the data."""
    return JSONResponse({"status": "ok", "version": version("slmops-studio")})


FACADE = api_cache.studio
MAKERS = (routes, review_routes, live_routes, palette_routes)
ROUTES = [Route("/api/health", health), *chain.from_iterable(make(FACADE) for make in MAKERS)]

app = st.App(HERE / "app.py", routes=ROUTES, middleware=[Middleware(ProjectAddress, facade=FACADE)])
