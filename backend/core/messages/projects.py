"""Sentences about projects and the files that hold one."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "projects.unknown": ("There is no project “{name}”.", "Choose one of: {known}."),
    "projects.in_trash": (
        "The project “{name}” is in the trash.",
        "Restore it in Settings, or with `slmops projects restore`.",
    ),
    "projects.file_damaged": ("“{file}” is not a project file, or is damaged.", "Export the project again."),
    "projects.file_version": (
        "“{file}” was written by a newer studio (format {version}).",
        "Update this studio, then import it again.",
    ),
    "projects.file_unsafe": (
        "“{file}” contains “{entry}”, which is not allowed in project files.",
        "Only import files from people you trust.",
    ),
    "projects.file_changed": (
        "“{entry}” in “{file}” was changed after export.",
        "Copy the file again, or export the project again.",
    ),
    "projects.file_large": (
        "“{file}” unpacks to {size}; the limit for its size is {limit}.",
        "Export the project again.",
    ),
    "projects.artifact_gone": (
        "“{name}” can't be exported: its file {entry} is missing.",
        "Delete “{name}”, then export again.",
    ),
    "projects.stopped": ("The import was stopped. Nothing was kept.", "Upload the file again to start over."),
    "projects.weights_left_out": (
        "“{ref}” was imported without weights.",
        "Rerun its job, or import the full project.",
    ),
    "projects.target_exists": ("{path} already exists.", "Choose another file, or delete it."),
}
