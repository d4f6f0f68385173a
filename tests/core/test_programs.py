"""Programs are started by the one table of programs, and what it names can be started."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core import programs
from backend.core.paths import ROOT
from backend.core.programs import Programs, source_file

FILES = [path for folder in ("backend", "studio", "pages") for path in sorted((ROOT / folder).rglob("*.py"))]
TABLE = Path(programs.__file__)


def guarded(path: Path) -> bool:
    """Whether it ends in `if __name__ == "__main__"`, that is, does something when it is run."""
    tests = [ast.unparse(node.test) for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.If)]
    return "__name__ == '__main__'" in tests


def strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("program", Programs)
def test_every_program_of_the_table_can_be_started(program: Programs) -> None:
    assert source_file(program).is_file() and guarded(source_file(program))


def test_what_can_be_started_is_in_the_table() -> None:
    assert len(FILES) > 200
    assert {path for path in FILES if guarded(path)} == {source_file(program) for program in Programs}


def test_nobody_else_names_a_program() -> None:
    names = {"-m", *Programs}
    assert names <= set(strings(TABLE))
    found = {str(path.relative_to(ROOT)): names.intersection(strings(path)) for path in FILES if path != TABLE}
    assert not {path: said for path, said in found.items() if said}
