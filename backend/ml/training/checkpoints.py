"""Checkpoints that can be trusted: the list of files is written last, so a half-written one is never resumed from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.files.checkpoints import COMPLETE, is_complete, steps_in
from backend.process.explain import explain

_TORCH_WORDS = ("file write failed", "unexpected pos")  # torch.save hides the reason
_LOW = 1_000_000  # bytes


def mark_complete(folder: Path) -> None:
    """Record the sizes of all files; from now on the checkpoint counts."""
    files = [file for file in folder.iterdir() if file.is_file() and file.name != COMPLETE]
    write_json(folder / COMPLETE, {file.name: file.stat().st_size for file in files})


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint in `folder` that can be resumed from; half-written ones are removed."""
    for path in folder.glob("checkpoint-*"):
        if not is_complete(path):
            shutil.rmtree(path, ignore_errors=True)  # another rank may be removing it
    found = [path for path in steps_in(folder).values() if is_complete(path, resumable=True)]
    return found[-1] if found else None


@contextmanager
def explain_disk_full(folder: Path) -> Iterator[None]:
    """Turn what torch, safetensors and tokenizers raise on a full disk into the sentence for people."""
    try:
        yield
    except Exception as error:
        full = explain(error, folder).code == "core.disk_full"
        hidden = any(words in str(error) for words in _TORCH_WORDS) and shutil.disk_usage(folder).free < _LOW
        if full or hidden:
            raise StudioError("core.disk_full", path=folder) from error
        raise
