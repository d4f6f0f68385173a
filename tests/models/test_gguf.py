"""GGUF files: their terms are read, shown and accepted before anything is converted, and no damage of a file is a traceback."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.db import Store
from backend.models import gguf, gguf_head, gguf_terms
from backend.models.gguf import import_gguf
from backend.models.gguf_terms import terms
from tests.models.test_probe import folder as model_folder  # noqa: F401
from tests.test_chain import slmops


def text(words: str) -> bytes:
    return struct.pack("<Q", len(words.encode())) + words.encode()


def gguf_file(about: dict[str, str], entries: int = 0) -> bytes:
    """The head of a GGUF file: a list of tokens and a list of numbers, then these values."""
    lists = text("tokens") + struct.pack("<IIQ", 9, 8, 2) + text("<pad>") + text("<eos>")
    lists += text("scores") + struct.pack("<IIQ", 9, 6, 2) + struct.pack("<ff", 0, 1)
    lists += text("context") + struct.pack("<II", 4, 2048)
    values = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in about.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, entries or len(about) + 3) + lists + values


@pytest.fixture
def settings() -> Settings:
    return Settings().prepare()


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.store_url)


def written(folder: Path, about: dict[str, str], **beside: str) -> Path:
    for name, words in beside.items():
        (folder / name).write_text(words, encoding="utf-8")
    file = folder / "model.gguf"
    file.write_bytes(gguf_file(about))
    return file


def test_terms_are_read_from_the_file_and_what_lies_beside_it(tmp_path: Path) -> None:
    about = {"general.architecture": "llama", "general.name": "Llama", "general.license": "llama3.2"}
    found = terms(written(tmp_path, {**about, "general.license.link": "https://terms"}, NOTICE="Built with Llama"))
    assert (found.name, found.license, found.link, found.text) == (
        "Llama",
        "llama3.2",
        "https://terms",
        "Built with Llama",
    )
    assert found.ask and found.title == "llama3.2"
    open_ = terms(written(tmp_path, {"general.architecture": "llama", "general.license": "Apache-2.0"}))
    assert not open_.ask and open_.name == "model"
    unknown = terms(written(tmp_path, {"general.architecture": "llama"}))
    assert unknown.ask and unknown.license is None


@pytest.mark.parametrize("about", [{"general.license": "gemma"}, {"general.architecture": "gemma3"}])
def test_gemma_stands_under_its_own_terms(tmp_path: Path, about: dict[str, str]) -> None:
    found = terms(written(tmp_path, about))
    assert (found.title, found.license, found.ask) == ("Gemma Terms of Use", "gemma", True)
    assert found.link == "https://ai.google.dev/gemma/terms"


def test_nothing_comes_in_before_its_terms_are_accepted(
    store: Store,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model_folder: Path,  # noqa: F811
) -> None:
    file = written(tmp_path, {"general.architecture": "gemma3", "general.name": "Gemma 3"})

    def convert(_files: list[Path], target: Path) -> str:
        for each in model_folder.iterdir():
            (target / each.name).write_bytes(each.read_bytes())
        return ""

    monkeypatch.setattr(gguf, "convert_gguf", convert)
    with pytest.raises(StudioError) as caught:
        import_gguf(store, settings, file, "mine")
    assert caught.value.code == "gguf.terms" and "ai.google.dev/gemma/terms" in str(caught.value)
    assert store.artifacts() == []
    made = import_gguf(store, settings, file, "mine", accepted=True)
    assert (made.name, made.license) == ("mine", "gemma")
    notice = (made.path / "NOTICE").read_text("utf-8")
    assert notice.startswith("Gemma is provided under and subject to the Gemma Terms of Use") and "Gemma 3" in notice
    assert not list(settings.cache.glob("import-*"))


def test_a_conversion_that_fails_leaves_nothing(
    store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, {"general.license": "mit"})
    monkeypatch.setattr(gguf, "convert_gguf", lambda _files, _folder: "ValueError: GGUF model with architecture x")
    with pytest.raises(StudioError, match="architecture x"):
        import_gguf(store, settings, file, "mine")
    assert store.artifacts() == [] and not list(settings.cache.glob("import-*"))


def test_damaged_files_are_named(tmp_path: Path) -> None:
    whole = gguf_file({"general.license": "mit"})
    file = tmp_path / "model.gguf"
    huge = whole[:16] + struct.pack("<Q", 2**60) + whole[24:]
    long = whole[:24] + struct.pack("<Q", 2**50) + whole[32:]
    for content in (b"", b"GGUF", b"no model", whole[:-3], whole[:60], huge, long, b"GGUF" + struct.pack("<I", 9)):
        file.write_bytes(content)
        with pytest.raises(StudioError) as caught:
            terms(file)
        assert caught.value.code == "gguf.damaged", content[:40]


@pytest.mark.proc
def test_the_command_line_shows_the_terms_and_waits_for_a_yes(tmp_path: Path) -> None:
    done = slmops("models", "import", str(written(tmp_path, {"general.license": "gemma"}, NOTICE="Read me first.")))
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[0] == "Read me first." and "Gemma Terms of Use" in done.stderr
    assert "--accept-terms" in done.stderr


def value(key: str, kind: int, content: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + content


HOSTILE = {
    "a list that ends beyond the file": value("scores", 9, struct.pack("<IQ", 6, 2**62)),
    "an unknown type": value("x", 99, b""),
    "2^60 texts": value("tokens", 9, struct.pack("<IQ", 8, 2**60)),
    "a text beyond all measure": value("x", 8, struct.pack("<Q", 2**40)),
    "a list of lists": value("x", 9, struct.pack("<IQ", 9, 2)),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_head_that_lies_is_refused_in_a_sentence(tmp_path: Path, case: str) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + HOSTILE[case] + value("y", 8, text("z")))
    with pytest.raises(StudioError) as refused:
        terms(file)
    assert refused.value.problems[0].code == "gguf.damaged"


def test_more_tensors_than_any_model_has_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 1) + value("x", 8, text("z")))
    with pytest.raises(StudioError) as refused:
        terms(file)
    assert refused.value.problems[0].code == "gguf.damaged"


@pytest.mark.parametrize("shape, offset", [((2**40, 2**40), 0), ((4, 4), 2**50), ((1,) * 9, 0)])
def test_a_tensor_that_can_not_be_is_refused(tmp_path: Path, shape: tuple[int, ...], offset: int) -> None:
    tensor = text("w") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + value("x", 8, text("z")) + tensor)
    with pytest.raises(StudioError) as refused:
        terms(file)
    assert refused.value.problems[0].code == "gguf.damaged"


def test_a_part_of_a_split_model_is_named_as_such(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + value("split.count", 2, struct.pack("<H", 4)))
    with pytest.raises(StudioError, match="one of 4 parts"):
        terms(file)


def parts(folder: Path, count: int = 3, told: int = 3) -> list[Path]:
    """Parts without tensors of a split model whose head says that there are `told`."""
    made = []
    for number in range(count):
        file = folder / f"m-{number + 1:05d}-of-{count:05d}.gguf"
        entries = value("split.no", 2, struct.pack("<H", number)) + value("split.count", 2, struct.pack("<H", told))
        entries += value("split.tensors.count", 5, struct.pack("<i", 0)) + value("general.license", 8, text("mit"))
        file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 4) + entries)
        made.append(file)
    return made


def test_any_part_stands_for_the_whole_model(tmp_path: Path) -> None:
    made = parts(tmp_path)
    for file in made:
        found = terms(file)
        assert (found.files, found.stem, found.license) == (made, "m", "mit")


def test_absent_parts_are_named(tmp_path: Path) -> None:
    first, second, third = parts(tmp_path)
    first.unlink()
    third.unlink()
    with pytest.raises(StudioError) as refused:
        terms(second)
    assert refused.value.code == "gguf.parts_missing" and "--merge" in refused.value.text()
    assert f"{first.name}, {third.name}" in refused.value.text()


def test_parts_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    first, second, _third = parts(tmp_path)
    second.write_bytes(first.read_bytes())
    with pytest.raises(StudioError) as refused:
        terms(first)
    assert refused.value.code == "gguf.parts_mixed" and second.name in refused.value.text()
    second.write_bytes(b"GGUF")
    with pytest.raises(StudioError, match=f"{second.name} is an incomplete GGUF file"):
        terms(first)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose heads were read from now on."""
    read: list[Path] = []
    real = gguf_terms.read_in_child

    def in_child(file: Path) -> dict[str, Any] | None:
        read.append(file)
        return real(file)

    monkeypatch.setattr(gguf_terms, "read_in_child", in_child)
    return read


def test_the_head_is_read_again_only_when_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = counted(monkeypatch)
    file = written(tmp_path, {"general.architecture": "llama", "general.license": "mit"})
    assert [terms(file).license, terms(file).license] == ["mit", "mit"] and len(read) == 1
    written(tmp_path, {"general.architecture": "llama", "general.license": "apache-2.0"})
    assert terms(file).license == "apache-2.0" and len(read) == 2


def test_a_damaged_file_is_not_read_again_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, file = counted(monkeypatch), tmp_path / "model.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + HOSTILE["a list that ends beyond the file"])
    for _ in range(2):
        with pytest.raises(StudioError, match="incomplete"):
            terms(file)
    assert len(read) == 1


@pytest.mark.proc
@pytest.mark.parametrize("case", [None, *HOSTILE])
def test_a_bounded_child_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str | None) -> None:
    file = written(tmp_path, {"general.architecture": "llama", "general.license": "mit"})
    if case:
        file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + HOSTILE[case])
    monkeypatch.setattr(gguf_head, "head", lambda _file: pytest.fail("read in this process"))
    if case is None:
        assert terms(file).license == "mit"
        return
    with pytest.raises(StudioError, match="incomplete"):
        terms(file)


@pytest.mark.proc
def test_a_child_that_takes_too_much_memory_means_a_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_terms, "_LIMITS", {**gguf_terms._LIMITS, "memory": 1_000_000})
    with pytest.raises(StudioError, match="incomplete"):
        terms(written(tmp_path, {"general.license": "x" * 4_000_000}))
