"""Sentences about data."""

MESSAGES: dict[str, tuple[str, str]] = {}
