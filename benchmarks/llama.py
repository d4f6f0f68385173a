"""The same model in llama.cpp: converted and quantized by llama.cpp's own tools, asked the same token ids on the same cores.

Needs a folder with `venv/bin/python` (an environment with llama-cpp-python, built for this machine) and `source` (the unpacked
source package of the same version, for its converter):

    python -m venv venv && CMAKE_ARGS="-DGGML_NATIVE=ON" venv/bin/pip install --no-binary llama-cpp-python llama-cpp-python
    venv/bin/pip download --no-deps --no-binary :all: llama-cpp-python && mkdir source && \\
        tar xzf llama_cpp_python-*.tar.gz --strip-components 1 -C source
    venv/bin/pip install --no-deps --target source/vendor/llama.cpp/gguf-py sentencepiece
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from math import exp
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, gold_answer
from backend.inference.benchmark import DECODE_PROMPTS, DECODE_TOKENS
from backend.inference.protocol import answer_tokens
from backend.ml.evaluation.measure_child import COST_PROMPTS, MAX_POSITIONS, quality
from backend.stats.logprobs import kl_divergences

FORMATS = {"f16": 1, "q8_0": 7, "q4_0": 2, "q4_1": 3}
"""File types of llama.h, as llama_model_quantize takes them."""
CHILD = Path(__file__).with_name("llama_child.py")
_QUANTIZE = """
import ctypes, sys, llama_cpp as ll
params = ll.llama_model_quantize_default_params()
params.ftype, params.nthread = int(sys.argv[3]), int(sys.argv[4])
sys.exit(ll.llama_model_quantize(sys.argv[1].encode(), sys.argv[2].encode(), ctypes.byref(params)))
"""


def build(home: Path, source: Path, out: Path) -> dict[str, Path]:
    """GGUF files by name; `source` is a folder of torch weights."""
    out.mkdir(parents=True, exist_ok=True)
    files = {name: out / f"{name}.gguf" for name in FORMATS}
    vendored = home / "source" / "vendor" / "llama.cpp"
    here = {**os.environ, "PYTHONPATH": str(vendored / "gguf-py")}
    convert = [
        sys.executable,
        vendored / "convert_hf_to_gguf.py",
        source,
        "--outtype",
        "f16",
        "--outfile",
        files["f16"],
    ]
    _run(convert, here)
    for name, kind in list(FORMATS.items())[1:]:
        run = [home / "venv/bin/python", "-c", _QUANTIZE, files["f16"], files[name], str(kind), str(os.cpu_count())]
        _run(run)
    return {f"llama.cpp {name}": file for name, file in files.items()}


def _run(command: list[Any], env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[1]} failed:\n{done.stderr[-2000:]}")


def measure(home: Path, gguf: Path, source: Path, dataset: ArtifactView, rows: int, work: Path) -> dict[str, float]:
    """The figures that an evaluation gives, over the first `rows` test rows. `source`: the torch weights; `work` has their
    log-probabilities from the same rows."""
    data, encoder = DataFolder(dataset.path), Encoder(source)
    asked_rows = [row for row in data.rows("test") if gold_answer(row) is not None][:rows]
    known = [row.output for row in data.rows("train") if row.output is not None]
    question = {
        "gguf": str(gguf),
        "prompts": [encoder.ids(encoder.render(data.template.prompt(row))) for row in asked_rows],
        "truths": [encoder.answer_ids(gold_answer(row) or "") for row in asked_rows],
        "stops": sorted(encoder.stops),
        "room": answer_tokens(data.template, known, lambda text: len(encoder.ids(text))),
        "threads": os.cpu_count(),
        "timed": COST_PROMPTS,
        "full": DECODE_TOKENS,
        "full_prompts": DECODE_PROMPTS,
        "positions": MAX_POSITIONS,
        "chances": str(work / "chances-llama.npy"),
    }
    (work / "asked.json").write_text(json.dumps(question), "utf-8")
    child = [home / "venv/bin/python", CHILD, work / "asked.json", work / "answer.json"]
    _run(child)
    found = json.loads((work / "answer.json").read_text("utf-8"))
    answers, losses = found.pop("answers"), found.pop("losses")
    theirs, mine = np.load(work / "chances-test.npy"), np.load(work / "chances-llama.npy")
    found |= quality(data, asked_rows, [encoder.text(ids) for ids in answers], encoder)
    found |= {"kl": fmean(kl_divergences(theirs, mine)), "perplexity": exp(min(700.0, fmean(losses)))}
    return {**found, "size_bytes": float(gguf.stat().st_size)}
