"""Sentences about saved endpoints, money and auditions."""

MESSAGES: dict[str, tuple[str, str]] = {
    "endpoints.unknown": (
        "There is no saved endpoint “{name}”.",
        "Choose one from the list, or add it on the Teacher page or with `slmops endpoints add`.",
    ),
    "endpoints.taken": ("An endpoint “{name}” already exists.", "Choose another name, or edit that one."),
    "endpoints.used": ("“{name}” can't be deleted: job {job} is using it.", "Cancel the job or wait for it to finish."),
    "endpoints.unfilled": ("The address still contains the placeholder {words}.", "Replace it with your own."),
    "endpoints.address": (
        "Not a valid endpoint address.",
        "Use http(s)://host/v1 without user name, password or query.",
    ),
    "endpoints.budget_reached": (
        "The next request could exceed the budget of {budget} USD ({spent} USD spent); answers kept: {kept}.",
        "Rerun with a higher budget; kept answers are not charged again.",
    ),
    "endpoints.budget_no_price": (
        "A budget needs prices, and none are set.",
        "Add input and output prices to the endpoint, or set the budget to 0.",
    ),
    "endpoints.budget_low": (
        "Expected cost is about {expected} USD, over the budget of {budget} USD: the job will probably stop early.",
        "Raise the budget or use fewer rows; finished answers are kept.",
    ),
    "endpoints.forbidden": (
        "“{name}” is marked as not allowing training on its answers.",
        "Choose another teacher, or get permission first.",
    ),
    "endpoints.audition_few": ("An audition needs at least one candidate.", "Choose models or endpoints."),
    "endpoints.failed_audition": (
        "“{name}” failed the audition on this dataset ({reason}).",
        "Choose another teacher, or fix the prompt and repeat the audition.",
    ),
    "endpoints.all_failed": (
        "No candidate answered any row. First failure: {failure}",
        "Fix the cause and retry.",
    ),
}
