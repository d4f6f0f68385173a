"""Sentences about saved endpoints, money and auditions."""

MESSAGES: dict[str, tuple[str, str]] = {
    "endpoints.unknown": (
        "There is no saved endpoint “{name}”.",
        "Choose one of the list, or save it on the page Teacher or with `slmops endpoints add`.",
    ),
    "endpoints.taken": ("There is an endpoint “{name}” already.", "Choose another name, or edit that one."),
    "endpoints.used": ("“{name}” can't be deleted: job {job} is using it.", "Cancel the job or wait for its end."),
    "endpoints.unfilled": ("The address still holds {words} of the preset.", "Put your own in its place."),
    "endpoints.address": (
        "This is not the address of an endpoint.",
        "Give http(s)://host/v1 without user name, password or question mark.",
    ),
    "endpoints.budget_reached": (
        "The next request could pass the budget of {budget} USD: {spent} USD are spent, answers kept: {kept}.",
        "Start again with a higher budget: answers that are kept are not asked or paid again, only the rest is.",
    ),
    "endpoints.budget_no_price": (
        "A budget needs prices, and none are known here.",
        "Save the endpoint with its prices of input and output, or set the budget to 0.",
    ),
    "endpoints.budget_low": (
        "About {expected} USD are expected, the budget is {budget} USD: the job will probably stop before its end.",
        "Raise the budget or ask fewer rows; what was answered by then is kept.",
    ),
    "endpoints.forbidden": (
        "You noted that the terms of “{name}” forbid to train other models with its answers.",
        "Choose another teacher, or get the permission first.",
    ),
    "endpoints.audition_few": ("An audition needs at least one candidate.", "Choose models or endpoints."),
    "endpoints.failed_audition": (
        "“{name}” failed the audition on this dataset ({reason}).",
        "Better choose another teacher, or correct the prompt and repeat the audition.",
    ),
    "endpoints.all_failed": (
        "No candidate could answer a single row; the first failure: {failure}",
        "Correct what it names and retry.",
    ),
}
