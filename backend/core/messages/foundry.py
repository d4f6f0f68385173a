"""Sentences about packages, their versions, and Foundry Local."""

MESSAGES: dict[str, tuple[str, str]] = {
    "package.version": (
        "“{version}” is not a version.",
        "Use three numbers, such as 1.2.0, or leave blank for the next version.",
    ),
    "package.version_taken": (
        "A package “{name}” {version} with other files already exists.",
        "Use another version, such as {next}, or leave it blank.",
    ),
    "package.report_failed": (
        "The model failed in report “{report}”: {failed}.",
        "Rebuild the model, or give a reason to override; the model card shows it.",
    ),
    "package.findings": (
        "“{name}” has findings: {findings}",
        "Rebuild the model, or give a reason to override; the model card shows it.",
    ),
    "package.report_other": (
        "The report “{report}” is about another model.",
        "Choose reports about this model, or give a reason to override; the model card shows it.",
    ),
    "package.none": ("There is no package {path}.", "Enter a folder, a zip file, or a package id or name."),
    "package.zip_damaged": ("{file} can't be read as a zip file ({reason}).", "Copy or download it again."),
    "package.no_sums": (
        "{package} has no readable {file}: its files can't be verified.",
        "Get the package from its source.",
    ),
    "package.bad_line": (
        "Line {line} of {file} is not a hash and a file name.",
        "Get the package from its source.",
    ),
    "package.unsafe": (
        "“{file}” is a link or points outside the package.",
        "Do not unpack or use this package.",
    ),
    "package.twice": ("“{file}” is in the zip file more than once.", "Do not unpack or use this package."),
    "package.missing": ("{file} is missing.", "Copy or download the package again."),
    "package.changed": ("{file} was changed.", "Copy or download the package again."),
    "package.extra": ("{file} does not belong to the package.", "Delete it, or copy the package again."),
    "gguf.damaged": ("{file} is an incomplete GGUF file.", "Download or copy it again."),
    "gguf.terms": (
        "{file} requires accepting a license first: {license} ({link}).",
        "Read it, then accept it on the Models page or with --accept-terms.",
    ),
    "gguf.failed": (
        "{file} could not be converted: {reason}",
        "Import the same model as a Hugging Face folder with safetensors.",
    ),
    "foundry.missing": (
        "Foundry Local is not installed here.",
        "Run `pip install 'slmops-studio[foundry]'`, or set SLMOPS_FOUNDRY_PYTHON to a Python with foundry-local-sdk.",
    ),
    "foundry.stopped": (
        "Foundry Local stopped before answering (status {status}): {reason}",
        "Check the job's log; another version of foundry-local-sdk may help.",
    ),
    "foundry.sdk": (
        "{python} can't start Foundry Local: {reason}",
        "Run `pip install foundry-local-sdk==2.2.1` there, or set SLMOPS_FOUNDRY_PYTHON to another Python.",
    ),
}
