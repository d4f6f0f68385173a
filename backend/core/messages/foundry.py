"""Sentences about packages, their versions, and Foundry Local."""

MESSAGES: dict[str, tuple[str, str]] = {
    "package.version": (
        "“{version}” is not a version.",
        "Give three numbers with dots between, such as 1.2.0, or leave it empty to take the next one.",
    ),
    "package.version_taken": (
        "There is a package “{name}” {version} already, and it holds other files.",
        "Give the new one another version, such as {next}, or leave the version empty.",
    ),
    "package.report_failed": (
        "The report “{report}” says that the model failed: {failed}.",
        "Make the model again, or give a reason to overrule, which the model card will show.",
    ),
    "package.report_other": (
        "The report “{report}” is about another model.",
        "Choose reports about the model that is packed, or give a reason to overrule, which the model card will show.",
    ),
    "package.none": ("There is no package {path}.", "Give its folder, its zip file, or the id or name of a package."),
    "package.zip_damaged": ("{file} can't be read as a zip file ({reason}).", "Copy or download it again."),
    "package.no_sums": (
        "{package} holds no readable {file}, so its files can't be checked.",
        "Take the package from where it was made.",
    ),
    "package.bad_line": (
        "Line {line} of {file} is not a hash and a new name.",
        "Take the package from where it was made.",
    ),
    "package.unsafe": (
        "“{file}” is a link or leads out of the package's folder.",
        "Do not unpack or use this package.",
    ),
    "package.twice": ("“{file}” is in the zip file more than once.", "Do not unpack or use this package."),
    "package.missing": ("{file} is missing.", "Copy or download the package again."),
    "package.changed": ("{file} was changed.", "Copy or download the package again."),
    "package.extra": ("{file} does not belong to the package.", "Delete it, or copy the package again."),
    "gguf.damaged": ("{file} is not a whole GGUF file.", "Download or copy it again."),
    "gguf.terms": (
        "{file} stands under terms that have to be accepted first: {license} ({link}).",
        "Read them; then accept them on the page Models, or with --accept-terms on the command line.",
    ),
    "gguf.failed": (
        "{file} could not be converted: {reason}",
        "Import the same model as a Hugging Face folder with safetensors.",
    ),
    "foundry.missing": (
        "Foundry Local is not installed here.",
        "Run `pip install 'slmops-studio[foundry]'` in the studio's environment, or set SLMOPS_FOUNDRY_PYTHON to a Python "
        "that has foundry-local-sdk.",
    ),
    "foundry.stopped": (
        "Foundry Local stopped before it had answered (status {status}): {reason}",
        "Look at the job's log; another version of foundry-local-sdk may help.",
    ),
    "foundry.sdk": (
        "{python} can't start Foundry Local: {reason}",
        "Run `pip install foundry-local-sdk==2.2.1` there, or set SLMOPS_FOUNDRY_PYTHON to another Python.",
    ),
}
