"""Graphics cards that are not there: an `nvidia-smi` on the path that tells of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.core import cards


def row(at: int, total: int = 24_000, free: int = 20_000, load: str = "35", watts: str = "120.50") -> str:
    return f"GPU-{at}{at}, NVIDIA Test {at}, {total}, {free}, 580.1, {load}, {watts}"


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, *rows: str, cuda: bool = True) -> None:
    """From now on this machine has these cards, in child processes too; `cuda`: whether PyTorch could use them here."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(rows) + "\nEND\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv(cards.VISIBLE, raising=False)
    monkeypatch.setattr(cards, "_known", None)
    monkeypatch.setattr(cards, "torch_has_cuda", lambda: cuda)
