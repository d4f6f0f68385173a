"""Sentences about files that come in and go out through the browser."""

MESSAGES: dict[str, tuple[str, str]] = {
    "files.upload_too_large": (
        "The file exceeds the upload limit of {limit}.",
        "Upload a smaller file, or raise SLMOPS_MAX_UPLOAD_BYTES and restart the studio.",
    ),
    "files.upload_no_space": (
        "The file needs {need}; {free} is free on disk.",
        "Free space on the Settings page, then upload again.",
    ),
    "files.upload_refused": (
        "The upload did not come from this studio.",
        "Open the studio's address and upload it there.",
    ),
    "files.upload_unknown": ("There is no uploaded file “{ref}”.", "It may have been deleted. Upload it again."),
    "files.upload_busy": (
        "“{name}” can't be deleted: job {job} is reading it.",
        "Cancel the job or wait for it to finish.",
    ),
    "files.format": (
        "“{ref}” can't be downloaded as {format}.",
        "Datasets: csv, jsonl, parquet, openai, sharegpt or alpaca. Everything else: zip.",
    ),
    "files.archive_damaged": ("“{file}” can't be read as a zip file.", "Zip the model folder again and upload it."),
    "files.archive_encrypted": ("“{file}” is password-protected.", "Zip the model folder without a password."),
    "files.archive_unsafe": (
        "“{file}” contains “{entry}”, which points outside the archive.",
        "Zip the model folder itself, with plain files only.",
    ),
    "files.archive_no_model": (
        "“{file}” has no config.json at its top level or in its only folder.",
        "Zip the model folder as saved by transformers.",
    ),
    "files.archive_many": (
        "“{file}” contains far more files than a model has.",
        "Zip only the model folder.",
    ),
    "files.archive_too_large": (
        "“{file}” unpacks to {size}, over the limit of {limit}.",
        "Zip only the model's files.",
    ),
}
