"""Sentences about the words that the studio puts into prompts."""

NOTES = frozenset({"data.prompt_spanish"})

MESSAGES: dict[str, tuple[str, str]] = {
    "data.prompt_spanish": (
        "The rows are Spanish, so the system prompt is too: “{prompt}”.",
        "Change it in “Prompt language”, or write your own.",
    ),
}
