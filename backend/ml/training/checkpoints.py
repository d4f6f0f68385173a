"""Checkpoints that can be trusted: the list of files is written last, so a half-written one is never resumed from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.process.explain import explain

_DONE = "complete.json"
_TORCH_WORDS = ("file write failed", "unexpected pos")  # torch.save hides the reason
_LOW = 1_000_000  # bytes


def mark_complete(folder: Path) -> None:
    """Record the sizes of all files; from now on the checkpoint counts."""
    write_json(folder / _DONE, {file.name: file.stat().st_size for file in folder.iterdir() if file.is_file()})


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint in `folder`; half-written ones are removed."""
    found: list[tuple[int, Path]] = []
    for checkpoint in folder.glob("checkpoint-*"):
        if _complete(checkpoint):
            found.append((int(checkpoint.name.rsplit("-", 1)[1]), checkpoint))
        else:
            shutil.rmtree(checkpoint)
    return max(found)[1] if found else None


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


def _complete(checkpoint: Path) -> bool:
    marker = checkpoint / _DONE
    if not marker.is_file():
        return False
    sizes: dict[str, int] = json.loads(marker.read_text("utf-8"))
    return all(
        (checkpoint / name).is_file() and (checkpoint / name).stat().st_size == size for name, size in sizes.items()
    )
