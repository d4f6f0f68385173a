"""Sentences of the guided way from a goal and a file to a model."""

from backend.core.messages.plurals import plural

MESSAGES: dict[str, tuple[str, str]] = {
    "guide.no_answers": (
        "The file has no answers to learn from.",
        "Add a column with answers, or let a teacher write them.",
    ),
    "guide.few_rows": (
        plural("Only {count} row has an answer.", "Only {count} rows have an answer."),
        "Add rows until there are at least {least}.",
    ),
    "guide.labels_found": (
        plural(
            "The answers are {count} fixed label, not free text.",
            "The answers are {count} fixed labels, not free text.",
        ),
        "The goal “Sort texts” fits better.",
    ),
    "guide.model_language": (
        "The rows are {language}, but {model} learned mostly from texts {known}.",
        "Import a multilingual model on the Models page, or expect weaker answers.",
    ),
    "guide.label_variants": ("Labels are written in several ways: {names}.", "Merge them; accented spellings win."),
    "guide.no_labels": (
        "The answers are free text, not a few fixed labels.",
        "Choose the goal that fits better.",
    ),
    "guide.no_fields": (
        "The answers are sentences, without fields such as name: value.",
        "The goal “Answer questions” fits better.",
    ),
    "guide.no_teacher": (
        "No teacher available: no endpoint, no other model, too few answers to train one.",
        "Add an endpoint on the Teacher page, or import a model on the Models page.",
    ),
    "guide.choose_teacher": ("No teacher chosen.", "Choose the model the small one learns from."),
    "guide.no_student": ("There is no model to train.", "Import one on the Models page."),
}
