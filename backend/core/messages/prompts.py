"""Sentences about the words that the studio puts into prompts."""

NOTES = frozenset({"data.prompt_spanish"})

MESSAGES: dict[str, tuple[str, str]] = {
    "data.prompt_spanish": (
        "The rows are Spanish, and so is the system prompt: “{prompt}”.",
        "Change it with “Language of the prompt”, or write your own.",
    ),
}
