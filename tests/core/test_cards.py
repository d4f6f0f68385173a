"""Which graphics cards there are, by the program of the driver and by its library."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from backend.api import doctor
from backend.core import cards
from backend.core.cards import Card
from backend.core.settings import Settings
from tests.fake_cards import install, row


def test_the_drivers_program_tells_of_each_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, row(0), row(1, load="[N/A]", watts="[Not Supported]"))
    first, second = cards.usable_cards()
    mebi = 2**20
    assert first == Card("GPU-00", "NVIDIA Test 0", 24_000 * mebi, 20_000 * mebi, "580.1", 0.35, 120.5)
    assert (second.id, second.load, second.watts) == ("GPU-11", None, None)


@pytest.mark.parametrize(
    ("visible", "found"),
    [("1", ["GPU-11"]), ("GPU-11,GPU-0", ["GPU-11", "GPU-00"]), ("", []), ("-1", []), ("0,9,1", ["GPU-00"])],
)
def test_only_visible_cards_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str, found: list[str]
) -> None:
    install(monkeypatch, tmp_path, row(0), row(1))
    monkeypatch.setenv(cards.VISIBLE, visible)
    assert [card.id for card in cards.cards()] == found


def test_a_program_that_fails_means_no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path)
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho 'has failed because'; exit 9\n", "utf-8")
    assert cards.cards() == []


def test_the_drivers_library_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, row(0))
    nvml = ModuleType("pynvml")
    nvml.NVMLError = RuntimeError  # type: ignore[attr-defined]
    calls = {
        "Init": None,
        "Shutdown": None,
        "SystemGetDriverVersion": "590",
        "DeviceGetCount": 1,
        "DeviceGetHandleByIndex": "handle",
        "DeviceGetMemoryInfo": SimpleNamespace(total=80, free=70),
        "DeviceGetUtilizationRates": SimpleNamespace(gpu=50),
        "DeviceGetUUID": "GPU-x",
        "DeviceGetName": "H",
    }
    for name, told in calls.items():
        setattr(nvml, f"nvml{name}", lambda *_, told=told: told)

    def unknown(_: object) -> int:
        raise RuntimeError("not supported")

    nvml.nvmlDeviceGetPowerUsage = unknown  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert cards.cards() == [Card("GPU-x", "H", 80, 70, "590", 0.5, None)]


@pytest.mark.parametrize("cuda", [True, False])
def test_doctor_names_the_cards_and_a_pytorch_that_can_not_use_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuda: bool
) -> None:
    install(monkeypatch, tmp_path, row(0), cuda=cuda)
    settings = Settings(home=tmp_path / "home")
    (told,) = [check.row() for check in doctor._gpus(settings)]
    assert "NVIDIA Test 0: 25.2 GB, 21.0 GB free, driver 580.1" in told["found"]
    assert (told["state"], "CUDA" in told["remedy"]) == (("ok", False) if cuda else ("absent", True))
    assert bool(cards.usable_cards()) == cuda
    install(monkeypatch, tmp_path, row(0), row(1), cuda=cuda)
    hints = [check.row()["remedy"] for check in doctor._gpus(settings) if check.row()["found"].startswith("cards of")]
    assert hints == (["Set SLMOPS_PROCESSES=auto to share one among all cards."] if cuda else [])
    shared = doctor._gpus(settings.model_copy(update={"processes": "auto"}))[-1].row()
    assert not cuda or (shared["found"], shared["remedy"]) == ("cards of a training: 2", "")


@pytest.mark.parametrize(
    ("line", "able"), [("cuda: Optional[str] = '12.8'", True), ("cuda: Optional[str] = None", False)]
)
def test_pytorch_is_asked_by_its_file_of_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, able: bool
) -> None:
    (tmp_path / "version.py").write_text(f"__all__ = ['cuda', 'hip']\n{line}\nhip: Optional[str] = None\n", "utf-8")
    monkeypatch.setattr(cards, "find_spec", lambda _: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    assert cards.torch_has_cuda() == able
