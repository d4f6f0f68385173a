"""Recipes of quantization side by side: `python -m benchmarks.quantize MODEL DATASET [--rows 300] [--repeats 3]`.

MODEL is a tuned model or adapter of the studio (SLMOPS_HOME), DATASET what it was tuned on. Everything is built once; then all
take turns, each time in a process of its own: first on all test rows (quality, perplexity and divergence from the torch
weights in float32), then `--repeats` times on few rows for the times, of which the median counts. FP16 is built for CUDA and
runs here on the CPU, so its times say nothing about a graphics card. `--llama FOLDER` puts llama.cpp beside it
(benchmarks.llama says what the folder holds).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from backend.api import Studio
from backend.core.artifacts import write_json
from backend.core.progress import Progress
from backend.core.schemas import ArtifactView
from backend.core.settings import Settings
from backend.jobs.context import MemoryContext
from backend.ml.compression import olive_export
from backend.ml.compression.quantize import Quantizer
from backend.ml.evaluation.measure import ORIGINAL, Evaluator
from backend.models.quantization import SCHEMES
from backend.stages.quantize import QuantizeParams, int8_modules, scheme_of
from benchmarks import llama

TIMED = ("ttft_ms", "decode_tokens_per_s", "latency_ms_p50", "peak_memory_bytes")
FEW = 20
CONTENDERS: dict[str, dict[str, Any]] = {
    "fp32": {"precision": "fp32"},
    "fp16": {"precision": "fp16", "target": "cuda"},
    **SCHEMES,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("--rows", type=int, default=300, help="test rows at most")
    parser.add_argument("--repeats", type=int, default=3, help="rounds of timing")
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS), choices=list(CONTENDERS), metavar="RECIPE")
    parser.add_argument("--llama", type=Path, metavar="FOLDER", help="llama.cpp, too: its environment and its source")
    parser.add_argument("--work", type=Path, help="keep what was built there, and use what is there")
    parser.add_argument("--json", type=Path, help="write all figures there, too")
    options = parser.parse_args()
    studio = Studio(Settings())
    known = {view.id: view for view in studio.artifacts()} | {view.name: view for view in studio.artifacts()}
    with tempfile.TemporaryDirectory() as folder:
        found = compare(options.work or Path(folder), known, known[options.model], known[options.data], options)
    show(found)
    if options.json:
        write_json(options.json, found)


def compare(
    work: Path, known: dict[str, ArtifactView], model: ArtifactView, data: ArtifactView, options: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """Figures by name, the torch weights first."""
    ctx = MemoryContext(work / "job", list(known.values()))
    progress = Progress(ctx, 1, "measuring")
    source = olive_export.merged_model_folder(model, known.__getitem__, ctx.scratch("merged"))
    quantizer = Quantizer(source, work / "maker", progress, print, data.path, 64)
    folders = {ORIGINAL: source}
    for name in options.only:
        folders[name] = _built(name, model, data, quantizer, ctx)
    ggufs = llama.build(options.llama, source, work / "llama") if options.llama else {}
    found: dict[str, dict[str, float]] = {}
    times: dict[str, list[dict[str, float]]] = {name: [] for name in [*folders, *ggufs]}
    for turn in range(options.repeats + 1):
        evaluator = Evaluator(Path(tempfile.mkdtemp(dir=work)), data, model, progress)
        rows = FEW if turn else options.rows
        print(f"round {turn}, {rows} rows at most, load {os.getloadavg()[0]:.1f}", flush=True)
        for name in times:
            if name in ggufs:
                metrics = llama.measure(options.llama, ggufs[name], source, data, rows, evaluator.work)
            else:
                metrics = evaluator.measure(folders[name], name, "test", rows)
            print(f"  {name}: {json.dumps({key: round(value, 4) for key, value in metrics.items()})}", flush=True)
            times[name].append(metrics)
            found.setdefault(name, dict(metrics))
    for name, taken in times.items():
        found[name] |= {metric: median(one[metric] for one in taken[1:] or taken) for metric in TIMED}
    return found


def _built(name: str, model: ArtifactView, data: ArtifactView, quantizer: Quantizer, ctx: Any) -> Path:
    how = dict(CONTENDERS[name])
    if name.endswith("-exact"):
        how["exact_layers"] = max(1, int(model.facts["layers"]) // 6)
    params = QuantizeParams.model_validate({"model": model.id, "data": data.id, **how})
    out = quantizer.work / f"{model.id}-{name}"
    if not out.is_dir():
        half = quantizer.work / "half"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        _layers, modules = int8_modules(params, quantizer, ctx)
        quantizer.make(scheme_of(params, model.facts, modules), half)
        half.rename(out)
        print(f"built {name}", flush=True)
    return out if params.target == "cpu" else olive_export.cpu_copy(out)


def show(found: dict[str, dict[str, float]]) -> None:
    """A table, ratios against the torch weights."""
    original = found[ORIGINAL]
    quality = "accuracy" if "accuracy" in original else "token_f1"
    print(
        f"\n{'':18}{'MB':>8}{'of fp32':>9}{'tok/s':>8}{'x torch':>9}{'TTFT ms':>9}{'MB RAM':>8}{quality:>10}{'kept':>8}",
        end="",
    )
    print(f"{'KL':>9}{'ppl':>8}")
    for name, one in found.items():
        size, speed = one["size_bytes"], one["decode_tokens_per_s"]
        print(f"{name:18}{size / 1e6:8.1f}{size / original['size_bytes']:9.3f}{speed:8.1f}", end="")
        print(f"{speed / original['decode_tokens_per_s']:9.2f}{one['ttft_ms']:9.0f}", end="")
        print(
            f"{one['peak_memory_bytes'] / 1e6:8.0f}{one[quality]:10.4f}{one[quality] / original[quality]:8.3f}", end=""
        )
        print(f"{one['kl']:9.5f}{one['perplexity']:8.3f}")


if __name__ == "__main__":
    main()
