"""The guided way on Home: a goal, a file, one card, one button."""
