"""In what a model is held, by what the device multiplies fast."""

from __future__ import annotations

import pytest
import torch

from backend.ml.inference import device

pytestmark = pytest.mark.ml


@pytest.mark.parametrize(
    ("card", "bf16", "held", "scaled"),
    [
        (False, False, torch.float32, False),
        (True, True, torch.bfloat16, False),
        (True, False, torch.float16, True),
    ],
)
def test_frozen_bases_are_held_in_what_the_device_multiplies(
    monkeypatch: pytest.MonkeyPatch, card: bool, bf16: bool, held: torch.dtype, scaled: bool
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: card)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16 or including_emulation)
    assert (device.frozen_dtype(), device.fp16_pays()) == (held, scaled)
