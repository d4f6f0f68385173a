"""From an exception to the error of a job: a code with arguments that people can read."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.core.errors import Problem, StudioError
from backend.core.schemas import JobError

_FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("no space left on device", "disk is full", "disk quota exceeded")
_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "cannot allocate memory", "bad_alloc")


def explain(error: BaseException, home: Path) -> JobError:
    """What the job row says. A full disk and memory that ran out are told apart from bugs, anywhere in the chain of causes."""
    chain = list(_chain(error))
    if any(_disk_full(link) for link in chain):
        return JobError(code="core.disk_full", args={"path": str(home)})
    if isinstance(error, StudioError):
        return of_problem(error.problems[0])
    if any(_memory_out(link) for link in chain):
        return JobError(code="core.memory_out")
    last = traceback.format_exception_only(error)[-1].strip().splitlines()[0]
    return JobError(code="core.unexpected", args={"reason": last[:300]})


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Turn the OSError of a full disk into the sentence for people; any other goes on."""
    try:
        yield
    except OSError as error:
        if explain(error, folder).code == "core.disk_full":
            raise StudioError("core.disk_full", path=folder) from error
        raise


def of_problem(problem: Problem) -> JobError:
    args = {name: _plain(value) for name, value in problem.args.items()}
    return JobError(code=problem.code, args=args, field=problem.field)


def sentence(error: JobError) -> str:
    """The error in words, for logs."""
    return Problem(code=error.code, args=error.args, field=error.field).text()


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _disk_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL_NUMBERS:
        return True
    return not isinstance(error, StudioError) and any(words in str(error).lower() for words in _FULL_WORDS)


def _memory_out(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _MEMORY_WORDS)


def _plain(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
