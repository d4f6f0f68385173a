"""Sentences about files that come in and go out through the browser."""

MESSAGES: dict[str, tuple[str, str]] = {
    "files.upload_too_large": (
        "The file is larger than {limit}, the most that the studio takes.",
        "Send a smaller file, or raise SLMOPS_MAX_UPLOAD_BYTES and start the studio again.",
    ),
    "files.upload_no_space": (
        "The file needs {need} and the disk has {free} free.",
        "Free some space on the page Settings, then send the file again.",
    ),
    "files.upload_refused": (
        "The file was not sent by a page of this studio.",
        "Open the studio's own address and send it from there.",
    ),
    "files.upload_unknown": ("There is no uploaded file “{ref}”.", "It may have been deleted: send it again."),
    "files.upload_busy": ("“{name}” can't be deleted: job {job} reads it.", "Cancel the job or wait for its end."),
    "files.format": (
        "“{ref}” can't be downloaded as {format}.",
        "Datasets come as csv, jsonl, parquet, openai, sharegpt or alpaca; everything else as a zip file.",
    ),
    "files.archive_damaged": ("“{file}” can't be read as a zip file.", "Pack the model's folder again and send it."),
    "files.archive_encrypted": ("“{file}” is protected by a password.", "Pack the model's folder without one."),
    "files.archive_unsafe": (
        "“{file}” holds “{entry}”, which points outside the archive.",
        "Pack the model's own folder, with plain files only.",
    ),
    "files.archive_no_model": (
        "“{file}” holds no config.json, neither at the top nor in its one folder.",
        "Pack the model's own folder, as transformers saves it.",
    ),
    "files.archive_many": (
        "“{file}” holds far more files than a model has.",
        "Pack the model's own folder and nothing else.",
    ),
    "files.archive_too_large": (
        "“{file}” would unpack to {size}, which is more than the studio takes ({limit}).",
        "Pack the model's files only.",
    ),
}
