"""Endpoints that answer over HTTP: client, protocols, budget, rate limit, errors."""
