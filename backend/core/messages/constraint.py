"""Sentences about constrained decoding."""

MESSAGES: dict[str, tuple[str, str]] = {
    "constraint.impossible": ("No answer can have this form: {reason}", "Correct the schema, pattern or grammar."),
    "constraint.dead_end": ("The answer can't go on in its form: {reason}", "Correct the schema, pattern or grammar."),
    "constraint.tokenizer": (
        "Answers of “{model}” can't be constrained: its tokenizer was not read: {reason}",
        "Turn constrained answers off.",
    ),
    "constraint.endpoint": (
        "Endpoints are not asked for constrained answers.",
        "Choose a local model, or turn them off.",
    ),
    "constraint.no_labels": ("There are no labels to choose from.", "Give some, or turn constrained answers off."),
    "constraint.no_json": ("The JSON schema is not valid JSON: {reason}", "Correct it."),
    "constraint.no_schema": ("A JSON schema is an object in braces.", "Correct it."),
}
