"""Sentences about recipes."""

MESSAGES: dict[str, tuple[str, str]] = {
    "recipe.unknown_key": ("There is no setting called “{key}”.", "Correct its name or leave it out."),
}
