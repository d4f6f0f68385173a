"""Sentences about large files: a sample is looked at before the import reads them whole, and few of very many columns."""

NOTES = frozenset({"reading.columns_passed"})

MESSAGES: dict[str, tuple[str, str]] = {
    "reading.sample_differs": (
        "The sample of {file} read as {sample}, all its rows read as {whole}.",
        "Name the columns and the kind of answer yourself, then import again.",
    ),
    "reading.columns_many": (
        "{file} has {count} columns; up to {limit} are looked at by themselves.",
        "Name the input and the answer, and no other column is read (--input, --output).",
    ),
    "reading.columns_passed": (
        "{count} other columns of {file} are not read: you named those that matter.",
        "Name one to use it, too (--input, --keep).",
    ),
}
