"""Sentences about train."""

MESSAGES: dict[str, tuple[str, str]] = {}
