"""The web process: ASGI application, routes for files and reviews, access control, launcher."""
