"""Sentences about models."""

MESSAGES: dict[str, tuple[str, str]] = {}
