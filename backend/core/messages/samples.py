"""Sentences about large files: a sample is looked at before the import reads them whole, and few of very many columns."""

NOTES = frozenset({"reading.columns_passed"})

MESSAGES: dict[str, tuple[str, str]] = {
    "reading.sample_differs": (
        "A sample of {file} reads as {sample}, the whole file as {whole}.",
        "Set the columns and answer type, then import again.",
    ),
    "reading.columns_many": (
        "{file} has {count} columns; up to {limit} are analyzed automatically.",
        "Set input and answer to read only those columns (--input, --output).",
    ),
    "reading.columns_passed": (
        "{count} other columns of {file} are not read.",
        "Add any you need (--input, --keep).",
    ),
}
