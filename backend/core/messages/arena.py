"""Sentences about the blind arena."""

MESSAGES: dict[str, tuple[str, str]] = {
    "arena.no_rows": (
        "“{ref}” has no validation rows to ask.",
        "Choose another dataset, or type a prompt.",
    ),
    "arena.no_pairs": (
        "No vote prefers one answer yet, so there are no pairs.",
        "Vote in the Playground's blind arena first.",
    ),
}
