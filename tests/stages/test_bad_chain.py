"""A chain that is bad on purpose: answers of no use, an export that is another model. None of it passes for good, and the
package says why; a failed report that is named stops it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.stage import Result
from backend.jobs.context import MemoryContext
from backend.stages import evaluate, package, parity, quantize
from tests.helpers import dataset_view, model_view
from tests.onnx_models import SCALE, Converted, build_lively_model, converted

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return converted(tmp_path_factory)


@pytest.fixture(scope="module")
def wrong(made: Converted, tmp_path_factory: pytest.TempPathFactory) -> tuple[ArtifactView, ArtifactView]:
    """The INT4 export, and a model that it was not made from, but says it was: other weights, the same tokenizer."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = build_lively_model(tmp_path_factory.mktemp("other") / "model", hidden=64, scale=SCALE)
    shuffled = torch.Generator().manual_seed(7)
    weights = load_file(folder / "model.safetensors")
    order = torch.randperm(weights["model.embed_tokens.weight"].shape[0], generator=shuffled)
    weights["model.embed_tokens.weight"] = weights["model.embed_tokens.weight"][order].contiguous()
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    original = model_view(folder, "model-other")
    return made.onnx.model_copy(update={"parents": [original.id]}), original


def codes(result: Result) -> list[str]:
    """Of the findings: with one of them a job ends "with findings" (tests/jobs/test_worker.py)."""
    return [found.code for found in result.findings]


def sealed(job: MemoryContext, kind: Kind) -> ArtifactView:
    """What was made, as an input of the next stage."""
    (event,) = [each for each in job.events if each["event"] == "artifact" and each["manifest"]["kind"] == kind]
    held = event["manifest"]
    about = {key: held[key] for key in ("id", "name", "facts", "parents")}
    base = next(iter(job.order.inputs.values()))
    return base.model_copy(update={**about, "kind": kind, "path": Path(event["path"])})


def job_of(folder: Path, made: Converted, views: Sequence[ArtifactView], id_: str) -> MemoryContext:
    """All jobs of the chain share a store."""
    return MemoryContext(folder, [dataset_view(made.data), *views], job_id=id_)


def test_no_stage_of_it_passes_for_good(
    tmp_path: Path, made: Converted, wrong: tuple[ArtifactView, ArtifactView]
) -> None:
    asked: dict[str, Any] = {"data": "dataset-d1", "model": made.onnx.id}
    answering, comparing = (job_of(tmp_path, made, wrong, name) for name in ("j-eval", "j-parity"))
    limits = {"cost_prompts": 1, "max_rows": 3, "max_new_tokens": 3}
    answered = evaluate.run(evaluate.EvaluateParams(**asked, **limits), answering)
    assert codes(answered) == ["good.unusable", "good.cut_off"]
    compared = parity.run(parity.ParityParams(**asked, rows=4, max_new_tokens=3), comparing)
    assert "good.parity_token_agreement" in codes(compared)
    report = sealed(comparing, Kind.REPORT)
    assert report.facts["passed"] is False

    packing = job_of(tmp_path, made, wrong, "j-package")
    packed = package.run(package.PackageParams(model=made.onnx.id, name="bad"), packing)
    assert sorted(codes(packed)) == ["package.findings", "package.report_failed"]
    card = (sealed(packing, Kind.PACKAGE).path / "bad" / "README.md").read_text("utf-8")
    assert "answers are empty or malformed" in card and report.name in card

    naming = job_of(tmp_path, made, [*wrong, report], "j-named")
    with pytest.raises(StudioError) as caught:
        package.run(package.PackageParams(model=made.onnx.id, name="bad", reports=[report.id]), naming)
    assert caught.value.code == "package.report_failed" and "token_agreement" in caught.value.text()


def test_first_tokens_that_are_others_are_a_finding_and_none_the_same_a_failure(
    tmp_path: Path, made: Converted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Olive has its own tests: here it hands over what was converted before, once with one first token of its original's."""
    from backend.ml.compression import olive_export
    from backend.ml.compression.quantize import Quantizer

    def make(self: Quantizer, scheme: object, out: Path) -> dict[str, Any]:
        (out / "model.onnx").write_bytes(b"")
        return {"first": [1, 2, 3], "texts": ["a", "b", "c"]}

    monkeypatch.setattr(Quantizer, "make", make)
    monkeypatch.setattr(olive_export, "first_tokens", lambda source, prompts: [1, 9, 9])
    params = quantize.QuantizeParams(model=made.torch.id, block_size=32)
    result = quantize.run(params, MemoryContext(tmp_path / "a", [made.torch]))
    assert codes(result) == ["good.agreement"]
    monkeypatch.setattr(olive_export, "first_tokens", lambda source, prompts: [9, 9, 9])
    with pytest.raises(StudioError) as caught:
        quantize.run(params, MemoryContext(tmp_path / "b", [made.torch]))
    assert caught.value.code == "good.no_agreement"
