"""Sentences about projects and the files that hold one."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "projects.unknown": ("There is no project “{name}”.", "Choose one of: {known}."),
    "projects.file_damaged": ("“{file}” is no project file, or it is damaged.", "Export the project again."),
    "projects.file_version": (
        "“{file}” was written by a newer studio (format {version}).",
        "Update this studio, then import it again.",
    ),
    "projects.file_unsafe": (
        "“{file}” holds “{entry}”, which a project file never holds.",
        "Import files from people you trust only.",
    ),
    "projects.file_changed": (
        "“{entry}” in “{file}” is not what was exported.",
        "Copy the file again, or export the project again.",
    ),
    "projects.file_large": (
        "“{file}” would unpack to {size}; {limit} is the limit for its size.",
        "Export the project again.",
    ),
    "projects.artifact_gone": (
        "“{name}” can't be exported: its file {entry} is missing.",
        "Delete “{name}”, then export again.",
    ),
    "projects.stopped": ("The import was stopped. Nothing was kept.", "Send the file again to start over."),
    "projects.weights_left_out": (
        "“{ref}” came without its weights.",
        "Rerun the job that made it, or import the full project.",
    ),
    "projects.target_exists": ("{path} exists already.", "Choose another file, or delete it."),
}
