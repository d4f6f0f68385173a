"""A job as a card, wherever jobs are shown."""
