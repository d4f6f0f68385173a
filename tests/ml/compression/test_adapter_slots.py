"""Adapters on one ONNX model: what it says with each of them is what the torch adapter says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.ml.compression.adapter_slots import write_adapter
from backend.ml.inference.open import open_engine
from backend.ml.inference.ort_decoder import OrtDecoder
from backend.ml.inference.torch_engine import TorchEngine
from backend.models.quantization import ADAPTER_FILE
from tests.helpers import model_view, view
from tests.ml.inference.test_decoders import alone, relay
from tests.ml.shared import build_adapter, build_base, build_shared

pytestmark = pytest.mark.ml
IDS = [5 + n % 50 for n in range(30)]


class Shop:
    """A base in torch and in ONNX, and two adapters of different rank; `attached` as `views` of kind onnx."""

    def __init__(self, root: Path) -> None:
        self.base = model_view(build_base(root / "model"))
        self.plain = view(build_shared(self.base.path, root / "plain", room=False), Kind.ONNX, "plain")
        self.shared = view(build_shared(self.base.path, root / "shared"), Kind.ONNX, "shared")
        self.torch = [
            view(
                build_adapter(self.base.path, root / f"a{rank}", rank, rank), Kind.ADAPTER, f"a{rank}", base="model-m1"
            )
            for rank in (4, 8)
        ]
        self.attached = [attach(each, self.shared, root / f"on-{each.id}") for each in self.torch]
        self.known = {each.id: each for each in (self.base, self.shared)}


def attach(adapter: ArtifactView, shared: ArtifactView, folder: Path) -> ArtifactView:
    shutil.copytree(adapter.path, folder)
    shutil.copyfile(shared.path / "genai_config.json", folder / "genai_config.json")
    write_adapter(adapter.path, shared.path, folder / ADAPTER_FILE)
    return view(folder, Kind.ONNX, f"on-{adapter.id}", base=shared.id)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def test_each_adapter_says_what_it_says_in_torch(shop: Shop) -> None:
    lookup = shop.known.__getitem__
    bare = open_engine(shop.shared, lookup).logits(IDS)
    assert np.abs(bare - open_engine(shop.plain, lookup).logits(IDS)).max() < 1e-4
    for torch, attached in zip(shop.torch, shop.attached, strict=True):
        ours, theirs = open_engine(attached, lookup).logits(IDS), TorchEngine(torch, lookup).logits(IDS)
        assert np.abs(ours - theirs).max() < 2e-3 < 0.1 < np.abs(ours - bare).max()


def test_four_bits_move_with_the_adapter(shop: Shop, tmp_path: Path) -> None:
    shared = view(build_shared(shop.base.path, tmp_path / "int4", "int4"), Kind.ONNX, "shared")
    attached = attach(shop.torch[0], shared, tmp_path / "on")
    known = {**shop.known, "shared": shared}.__getitem__
    moved = open_engine(attached, known).logits(IDS) - open_engine(shared, known).logits(IDS)
    wanted = TorchEngine(shop.torch[0], known).logits(IDS) - TorchEngine(shop.base, known).logits(IDS)
    assert np.corrcoef(moved.ravel(), wanted.ravel())[0, 1] > 0.9


def test_rows_of_several_adapters_share_one_session(shop: Shop) -> None:
    lookup = shop.known.__getitem__
    first = OrtDecoder(shop.shared, lookup)
    for attached in shop.attached:
        decoder = OrtDecoder(attached, lookup, first)
        assert decoder._session is first._session
        engine = open_engine(attached, lookup)
        prompts = [IDS[:9], IDS, IDS[:3]]
        assert (
            relay(decoder, prompts, 8)
            == alone(engine, prompts, 8)
            != alone(open_engine(shop.shared, lookup), prompts, 8)
        )


def test_an_adapter_without_a_place_is_refused(shop: Shop, tmp_path: Path) -> None:
    head = build_adapter(shop.base.path, tmp_path / "head", targets=["q_proj", "lm_head"])
    with pytest.raises(StudioError) as refused:
        write_adapter(head, shop.shared.path, tmp_path / "out")
    assert refused.value.code == "slots.no_place" and "lm_head" in refused.value.text()


def test_another_kind_of_adapter_is_refused(shop: Shop, tmp_path: Path) -> None:
    shutil.copytree(shop.torch[0].path, tmp_path / "dora")
    file = tmp_path / "dora" / "adapter_config.json"
    content: dict[str, Any] = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "use_dora": True}))
    with pytest.raises(StudioError) as refused:
        write_adapter(tmp_path / "dora", shop.shared.path, tmp_path / "out")
    assert refused.value.code == "slots.kind" and "use_dora" in refused.value.text()
