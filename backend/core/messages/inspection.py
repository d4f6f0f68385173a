"""Sentences about the reading of a source in its own process, and about readings that leave a choice."""

NOTES = frozenset({"inspect.demo"})

MESSAGES: dict[str, tuple[str, str]] = {
    "inspect.demo": ("The demo names its own columns.", ""),
    "inspect.memory": (
        "{file} needs more than {limit} of memory to be read.",
        "Save it as JSON Lines or Parquet, or divide it into smaller files.",
    ),
    "inspect.time": (
        "{file} could not be read within {seconds} s.",
        "Save it as JSON Lines or Parquet, or try a part of it first.",
    ),
    "inspect.stopped": (
        "The program that reads {file} stopped: {reason}.",
        "The file may be damaged: write it again, or save it in another format.",
    ),
    "inspect.answer_large": (
        "{file} has more columns or longer names than the studio can show.",
        "Delete the columns that nobody needs, or save the rows as JSON Lines with two columns.",
    ),
}
