"""Sentences about chat."""

MESSAGES: dict[str, tuple[str, str]] = {}
