"""Sentences about the reading of a source in its own process, and about readings that leave a choice."""

NOTES = frozenset({"inspect.demo"})

MESSAGES: dict[str, tuple[str, str]] = {
    "inspect.demo": ("The demo sets its own columns.", ""),
    "inspect.memory": (
        "Reading {file} needs more than {limit} of memory.",
        "Save it as JSON Lines or Parquet, or split it.",
    ),
    "inspect.time": (
        "{file} could not be read within {seconds} s.",
        "Save it as JSON Lines or Parquet, or try part of it.",
    ),
    "inspect.stopped": (
        "Reading {file} failed: {reason}.",
        "The file may be damaged. Save it again or in another format.",
    ),
    "inspect.answer_large": (
        "{file} has more columns or longer names than the studio can show.",
        "Delete unneeded columns, or save as JSON Lines with two columns.",
    ),
}
