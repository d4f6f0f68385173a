"""Packages are checked without trust: every change is named, and nothing is unpacked."""

from __future__ import annotations

import stat
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

from backend.cli.packages import _stored
from backend.core.schemas import Kind
from backend.core.settings import Settings
from backend.packaging.package_folder import write_checksums, write_zip
from backend.packaging.verify import next_version, verify_package, version_key
from tests.studio.builder import StudioBuilder
from tests.test_chain import slmops


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "voice"
    (folder / "model").mkdir(parents=True)
    (folder / "README.md").write_text("A model", encoding="utf-8")
    (folder / "model" / "model.onnx").write_bytes(b"weights" * 100)
    write_checksums(folder)
    return folder


def zipped(folder: Path) -> Path:
    target = folder.with_suffix(".zip")
    write_zip(folder, target, lambda _: None)
    return target


def found(package: Path) -> list[tuple[str, object]]:
    return [(problem.code, problem.args.get("file")) for problem in verify_package(package)]


def test_an_untouched_package_is_as_it_was_packed(package: Path) -> None:
    assert verify_package(package) == [] and verify_package(zipped(package)) == []


def test_every_change_is_named(package: Path) -> None:
    (package / "model" / "model.onnx").write_bytes(b"Weights" * 100)
    (package / "README.md").unlink()
    (package / "model" / "extra.txt").write_text("", encoding="utf-8")
    wanted = [
        ("package.missing", "README.md"),
        ("package.changed", "model/model.onnx"),
        ("package.extra", "model/extra.txt"),
    ]
    assert found(package) == wanted and found(zipped(package)) == wanted


def test_a_link_is_never_followed(package: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes((package / "README.md").read_bytes())
    (package / "README.md").unlink()
    (package / "README.md").symlink_to(tmp_path / "elsewhere")
    assert found(package) == [("package.unsafe", "README.md"), ("package.missing", "README.md")]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "voice/../../evil", "voice\\..\\evil", "C:/evil"])
def test_names_that_lead_out_of_a_zip_are_named(package: Path, name: str) -> None:
    archive = zipped(package)
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr(name, "x")
    assert ("package.unsafe", name) in found(archive)


def test_links_and_second_copies_in_a_zip_are_named(package: Path) -> None:
    archive = zipped(package)
    with zipfile.ZipFile(archive, "a") as more:
        link = zipfile.ZipInfo("voice/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        more.writestr(link, "/etc/passwd")
        with pytest.warns(UserWarning):
            more.writestr("voice/README.md", "Another")
    names = found(archive)
    assert {("package.unsafe", "voice/link"), ("package.twice", "voice/README.md")} <= set(names)


def test_sums_that_lead_out_or_say_nothing_are_named(package: Path) -> None:
    sums = package / "SHA256SUMS"
    sums.write_text(sums.read_text("utf-8") + "a" * 64 + "  ../secret\nnonsense\n", encoding="utf-8")
    assert found(package) == [("package.unsafe", "../secret"), ("package.bad_line", "SHA256SUMS")]
    sums.unlink()
    assert found(package) == [("package.no_sums", "SHA256SUMS")]


def test_a_damaged_zip_is_a_problem_and_no_traceback(package: Path) -> None:
    archive = zipped(package)
    content = bytearray(archive.read_bytes())
    at = content.index(b"weights")
    content[at] ^= 1
    archive.write_bytes(content)
    assert [problem.code for problem in verify_package(archive)] == ["package.zip_damaged"]
    archive.write_bytes(b"no zip")
    assert [problem.code for problem in verify_package(archive)] == ["package.zip_damaged"]
    assert [problem.code for problem in verify_package(archive.with_name("none"))] == ["package.none"]


def test_versions_are_ordered_as_semantic_versions() -> None:
    order = ["0.9.0", "1.0.0-alpha", "1.0.0-beta", "1.0.0", "1.0.10", "1.2.0", "10.0.0"]
    assert all(version_key(low) < version_key(high) for low, high in pairwise(order))
    assert next_version([]) == "1.0.0" and next_version(["1.2.9", "1.10.0", "odd"]) == "1.10.1"
    assert next_version(["2.0.0-rc.1"]) == "2.0.0"


def test_a_package_of_the_studio_is_found_by_its_id(package: Path, tmp_path: Path) -> None:
    archive, made = zipped(package), tmp_path / "made"
    made.mkdir()
    package.rename(made / "voice")
    archive.rename(made / "voice.zip")
    builder = StudioBuilder(Settings().home)
    view = builder.keep(Kind.PACKAGE, "voice", made, {"folder": "voice", "zip": "voice.zip"})
    assert [verify_package(place) for place in _stored(view.id)] == [[], []]
    assert _stored("nothing") == [] == _stored(builder.artifact(Kind.ONNX, "model").id)


@pytest.mark.proc
def test_the_command_line_says_it_in_lines_and_exit_codes(package: Path) -> None:
    done = slmops("verify", str(package))
    assert done.returncode == 0 and "every file is what was packed" in done.stdout
    (package / "README.md").unlink()
    done = slmops("verify", str(package))
    assert done.returncode == 2 and done.stderr.splitlines() == [
        "README.md is missing. Copy or download the package again."
    ]
    done = slmops("verify", str(package), "--json")
    assert done.returncode == 2 and '"ok": false' in done.stdout and '"package.missing"' in done.stdout
