"""The generated pages of docs/ are those of the code, and what the written ones name is there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend import stages
from backend.core.paths import ROOT
from backend.stats.metrics import Metric, metrics
from docs import generate
from tests.plugins.toy_package import install
from tests.test_architecture import HEAVY, loaded_after

WRITTEN = (
    *("README.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("docs/README.md", "docs/architecture.md", "docs/extending.md", "docs/benchmarks.md"),
)


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(install(tmp_path / "site")))
    stages._plugins.cache_clear()
    metrics.cache_clear()


@pytest.fixture(autouse=True)
def fresh_registries() -> Iterator[None]:
    yield
    sys.modules.pop("slmops_toy", None)
    stages._plugins.cache_clear()
    metrics.cache_clear()


def test_the_committed_pages_are_those_of_the_code() -> None:
    assert generate.out_of_date(ROOT / "docs") == []
    assert generate.main(["--check"]) == 0


def test_a_page_that_is_out_of_date_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert generate.main([]) == 0 and generate.main(["--check"]) == 0
    page = tmp_path / "reference" / "stages.md"
    page.write_text(page.read_text("utf-8").replace("`batch_size`", "`batch`"), "utf-8")
    (tmp_path / "glossary.md").unlink()
    assert generate.main(["--check"]) == 1
    assert [line.split()[0] for line in capsys.readouterr().err.splitlines()] == [
        "docs/glossary.md",
        "docs/reference/stages.md",
    ]


def test_every_stage_parameter_metric_and_command_is_there() -> None:
    pages = generate.pages()
    for name in stages.BUILT_IN:
        section = pages["reference/stages.md"].split(f"\n## {name}\n")[1].split("\n## ")[0]
        for field, info in stages.stage(name).params.model_fields.items():
            (row,) = (line for line in section.splitlines() if line.startswith(f"| `{field}` |"))
            assert f"**{info.title}.**" in row
    assert all(f"| `{one.name}` |" in pages["reference/metrics.md"] for one in metrics().values())
    commands = re.findall(r"^## (slmops.*)$", pages["reference/commands.md"], re.MULTILINE)
    assert "| `--port` | whole number, 1 to 65535 | `8501` | Port to listen on. |" in pages["reference/commands.md"]
    assert {"slmops run", "slmops serve", "slmops models import", "slmops jobs retry"} <= set(commands)


def test_bounds_labels_and_defaults_are_told() -> None:
    text = generate.pages()["reference/stages.md"]
    assert "| `temperature` | number, 0 to 2 | `0.0` |" in text
    assert "| `block_size` | one of `32`, `64`, `128` |" in text
    assert "`int4` (INT4, 4 bits), `int8` (INT8, 8 bits)" in text
    assert "| `data` | reference to dataset | required |" in text or "| `data` | reference to dataset | empty |" in text
    assert "text, at most 100 characters" in text and "1 to 2 items" in text


def test_a_stage_of_another_package_stays_out_of_what_is_committed_and_shows_when_it_is_asked_for(toys: None) -> None:
    assert "toy" in stages.names() and "brevity" in metrics()
    assert generate.out_of_date(ROOT / "docs") == []
    shown = generate.stages_page(stages.stages())
    assert "## toy" in shown and "[toy](#toy)" in shown
    assert "| `shine` | whole number, 0 to 9 | `3` | **Shine.** How much the toy shines. |" in shown
    assert "| `brevity` | Brevity | share | higher | label, text | yes |" in generate.metrics_page(metrics().values())


def test_text_that_markdown_would_read_otherwise_is_escaped() -> None:
    shown = generate.metrics_page([Metric("odd", "a | b <c>", "count")])
    assert "| `odd` | a \\| b \\<c> | count |" in shown


def test_every_variable_that_the_code_reads_is_in_the_reference() -> None:
    page = generate.pages()["reference/settings.md"]
    files = [path for folder in ("backend", "studio") for path in (ROOT / folder).rglob("*.py")]
    read = {name for path in files for name in re.findall(r"SLMOPS_[A-Z_]*[A-Z]", path.read_text("utf-8"))}
    assert len(read) >= 7
    assert {name for name in read - {"SLMOPS_MADE_UP_TOKEN"} if f"`{name}`" not in page} == set()


def test_generating_is_cheap() -> None:
    loaded = loaded_after("from docs.generate import pages; pages()")
    assert "backend" in loaded and not loaded & (HEAVY | {"streamlit", "pandas", "sqlalchemy"})


@pytest.mark.parametrize("page", WRITTEN)
def test_links_and_paths_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert [target for target in links if not ((ROOT / page).parent / target).exists()] == []
    paths = re.findall(r"`((?:backend|studio|pages|docs|tests|benchmarks|assets)/[\w/.-]*)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_readme_is_short_and_shows_four_pictures() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 120
    assert len(re.findall(r"!\[\w[\w-]*\]\(assets/", text)) >= 4
