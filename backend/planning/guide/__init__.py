"""The guided way: a goal in plain words and a file become one recipe."""
