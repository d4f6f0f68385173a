"""Every failure becomes the right words."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from backend.core.errors import StudioError
from backend.process.explain import explain, sentence


def _caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "core.disk_full"),
        (_caused(RuntimeError("can't save"), OSError(errno.ENOSPC, "x")), "core.disk_full"),
        (_caused(StudioError("core.value", reason="x"), OSError(errno.EDQUOT, "x")), "core.disk_full"),
        (RuntimeError("Error while serializing: IoError(No space left on device (os error 28))"), "core.disk_full"),
        (OperationalError("insert", {}, Exception("database or disk is full")), "core.disk_full"),
        (MemoryError(), "core.memory_out"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"), "core.memory_out"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "core.memory_out"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "core.memory_out"),
        (StudioError("core.memory_low", need="2 GB", have="1 GB"), "core.memory_low"),
        (KeyError("x"), "core.unexpected"),
        (OSError(errno.ENOENT, "No such file"), "core.unexpected"),
    ],
)
def test_failures_are_told_apart(error: Exception, code: str, tmp_path: Path) -> None:
    told = explain(error, tmp_path)
    assert told.code == code
    assert sentence(told)
