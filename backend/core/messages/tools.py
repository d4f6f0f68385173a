"""Sentences about tools and calls in a dataset, and about what a model reads of a row."""

MESSAGES: dict[str, tuple[str, str]] = {
    "tools.no_place": (
        "The chat template of “{model}” has no place for tool calls.",
        "Choose a model that was made for tools, or import the dataset without its tool rows.",
    ),
    "tools.protocol": (
        "Rows with tools can't be sent to “{url}”: the studio sends tools by OpenAI's protocol only.",
        "Choose an endpoint with OpenAI's protocol.",
    ),
    "tokens.refused": (
        "The model's chat template refuses the conversation of row “{row}”: {reason}",
        "Mend the turns of that row, or choose another model.",
    ),
    "tokens.no_row": (
        "There is no row “{row}” in the {split} split of “{data}”.",
        "Choose a row from the table.",
    ),
}
