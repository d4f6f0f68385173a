"""Sentences about tools and calls in a dataset, and about what a model reads of a row."""

MESSAGES: dict[str, tuple[str, str]] = {
    "tools.no_place": (
        "The chat template of “{model}” does not support tool calls.",
        "Choose a model with tool support, or import without tool rows.",
    ),
    "tools.protocol": (
        "Rows with tools can't be sent to “{url}”: only OpenAI's protocol is supported.",
        "Choose an endpoint with OpenAI's protocol.",
    ),
    "tokens.refused": (
        "The model's chat template rejects row “{row}”: {reason}",
        "Fix that row's turns, or choose another model.",
    ),
    "tokens.no_row": (
        "“{data}” has no row “{row}” in {split}.",
        "Choose a row from the table.",
    ),
}
