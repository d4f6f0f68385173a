"""The rules of the house that no linter knows. Every walk over files asserts that it found some."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import stages
from backend.core.paths import ROOT, assets, pages
from backend.core.refs import refs_of
from backend.core.stage import Params, Result, Stage
from backend.planning import recipes
from studio.nav import NAV

HEAVY = {
    "torch",
    "transformers",
    "peft",
    "trl",
    "datasets",
    "onnxruntime",
    "onnxruntime_genai",
    "olive",
    "bitsandbytes",
}
HEAVY |= {"sklearn", "onnx"}


def python_files(*folders: str, least: int) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert len(found) >= least, f"only {len(found)} files in {folders}"
    return found


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def loaded_after(code: str) -> set[str]:
    """Top-level modules in a fresh process after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sorted(sys.modules))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_facade_stages_worker_and_shell_load_nothing_heavy() -> None:
    code = (
        "import backend.api, backend.cli, backend.planning.recipes, backend.jobs.worker, backend.jobs.child\n"
        "from backend.stages import stages; stages()\n"
        "import studio.webapp.app, studio.webapp.launch; from studio.ui import preload; preload()"
    )
    loaded = loaded_after(code)
    assert {"backend", "studio", "streamlit", "sqlalchemy"} <= loaded
    assert not loaded & HEAVY


def test_command_line_loads_no_web() -> None:
    assert not loaded_after("import backend.cli") & (HEAVY | {"streamlit", "pandas", "sqlalchemy", "httpx"})


def test_every_page_is_in_the_table_and_back() -> None:
    found = {path.name for path in pages().glob("*.py")}
    assert len(found) >= 2
    assert found == {row.file for row in NAV}
    assert sum(row.default for row in NAV) == 1


def test_pages_are_thin_and_import_only_what_they_may() -> None:
    allowed = ("streamlit", "studio.ui", "studio.nav", "backend.api", "backend.core.schemas", "backend.core.errors")
    for path in python_files("pages", least=2):
        for name in imports(path):
            assert any(name == one or name.startswith(f"{one}.") for one in allowed), f"{path.name} imports {name}"
        assert len(path.read_text("utf-8").splitlines()) <= 80, path.name


def test_shell_and_command_line_are_kept_from_every_package_that_is_not_open_to_them() -> None:
    """Import-linter checks the imports; it can't tell that a new package is missing from its list."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (forbidden,) = (
        set(each["forbidden_modules"]) for each in contracts if "backend.cli" in each.get("source_modules", ())
    )
    packages = {f"backend.{path.parent.name}" for path in (ROOT / "backend").glob("*/__init__.py")}
    assert len(packages) >= 15
    assert packages - forbidden == {"backend.api", "backend.cli", "backend.core", "backend.results"}


def test_files_keep_their_size() -> None:
    for path in python_files("backend", "studio", "pages", least=30):
        assert len(path.read_text("utf-8").splitlines()) <= 300, path
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), f"{path} has no docstring"


@pytest.mark.parametrize("name", stages.names())
def test_stage_fits_the_contract(name: str) -> None:
    stage = stages.stage(name)
    assert isinstance(stage, Stage)
    assert stage.name == name
    assert issubclass(stage.params, Params)
    assert issubclass(stage.result, Result)
    assert stage.params.model_config.get("extra") == "forbid"
    for field, info in stage.params.model_fields.items():
        assert info.title and info.description, f"{name}.{field} needs a title and a description"
    refs_of(stage.parse(stage.example))


def test_every_stage_file_is_registered() -> None:
    files = {path.stem for path in (ROOT / "backend" / "stages").glob("*.py")} - {"__init__", "base"}
    registered = {name for name in files if hasattr(importlib.import_module(f"backend.stages.{name}"), "STAGE")}
    assert len(registered) >= 7
    assert registered == set(stages.names())


def test_every_shipped_recipe_validates() -> None:
    found = sorted((assets() / "recipes").glob("*.yaml"))
    assert len(found) >= 2
    for path in found:
        recipe = recipes.load(path)
        assert recipe.name == path.stem
        assert recipe.description


def test_nothing_beside_the_entrypoint_shadows_a_module() -> None:
    """`studio/` becomes the first entry of the search path when the entrypoint runs."""
    beside = {path.stem for path in (ROOT / "studio").glob("*.py")}
    beside |= {path.parent.name for path in (ROOT / "studio").glob("*/__init__.py")}
    beside -= {"__init__"}
    assert len(beside) >= 5
    for name in beside:
        assert importlib.util.find_spec(name) is None, f"studio/{name} hides the module {name}"
