"""Sentences about large files, of which a sample is looked at before the import reads them whole."""

MESSAGES: dict[str, tuple[str, str]] = {
    "reading.sample_differs": (
        "The sample of {file} read as {sample}, all its rows read as {whole}.",
        "Name the columns and the kind of answer yourself, then import again.",
    ),
}
