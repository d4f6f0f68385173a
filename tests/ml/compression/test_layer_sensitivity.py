"""The scan of layers: what rounding one of them does to a model, and that it leaves the model as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import build_tiny_model

pytestmark = pytest.mark.ml

EXAMPLES = [([1, 40 + at, 7, 90], [300 + at, 2]) for at in range(10)]


def test_the_layer_with_the_wild_weights_suffers_most_and_nothing_is_changed(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from backend.ml.compression.layer_sensitivity import layer_sensitivities, module_names

    model = AutoModelForCausalLM.from_pretrained(build_tiny_model(tmp_path / "m", hidden=64, layers=3)).eval()
    with torch.no_grad():
        for linear in model.model.layers[1].modules():
            if isinstance(linear, torch.nn.Linear):
                linear.weight.mul_(8)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    ticks: list[int] = []
    found = layer_sensitivities(model, EXAMPLES, 4, 32, lambda: ticks.append(1))
    assert len(found) == 3 and max(found) == found[1] > 2 * found[0] > 0
    assert len(ticks) == 3 * 2  # two batches for each layer
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    assert layer_sensitivities(model, EXAMPLES, 8, 32, lambda: None)[1] < found[1] / 10
    names = module_names(model, [1])
    assert len(names) == 7 and all(name.startswith("model.layers.1.") for name in names)


def test_rounding_keeps_ends_of_a_block_and_zero() -> None:
    import torch

    from backend.ml.compression.layer_sensitivity import fake_quantize

    weight = torch.tensor([[-1.0, 0.0, 0.26, 2.0, 0.0, 0.0, 0.0, 0.0]])
    made = fake_quantize(weight, 4, 4)
    assert made.tolist()[0] == pytest.approx([-1.0, 0.0, 0.2, 2.0, 0, 0, 0, 0], abs=0.01)
    torch.manual_seed(0)
    wide = torch.randn(8, 64)
    errors = [float((fake_quantize(wide, bits, 32) - wide).abs().mean()) for bits in (2, 4, 8)]
    assert errors[0] > 3 * errors[1] > 30 * errors[2] > 0
