"""Tells people elsewhere (a webhook, a mailbox) that a run has ended."""
