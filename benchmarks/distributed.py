"""One process against several: `python -m benchmarks.distributed MODEL DATASET [--processes 2] [--steps 20]`.

MODEL and DATASET are folders (a model, a dataset's artifact). LoRA in float32 without dropout, the same batches of 8 rows for
all processes together. Prints how far apart the losses of the steps are, and tokens a second of each.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_OUT = "told.json"


def measure(model: Path, data: Path, processes: int, steps: int, threads: int = 1) -> dict[str, Any]:
    """`losses` of the steps, `tokens_per_s`, and the names of what each rank reported or made: `events`. Raises
    subprocess.CalledProcessError for a rank that failed."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": str(processes)}
        shared |= {"OMP_NUM_THREADS": str(threads), "LOCAL_WORLD_SIZE": str(processes), "HF_HUB_OFFLINE": "1"}
        free.close()
        argv = [
            sys.executable,
            "-m",
            "benchmarks.distributed",
            str(model),
            str(data),
            f"--steps={steps}",
            f"--in={folder}",
        ]
        ranks = [
            subprocess.Popen(argv, cwd=ROOT, env={**os.environ, **shared, "RANK": str(at), "LOCAL_RANK": str(at)})
            for at in range(processes)
        ]
        try:
            for rank in ranks:
                if code := rank.wait():
                    raise subprocess.CalledProcessError(code, argv)
        finally:
            for rank in ranks:
                rank.kill()
                rank.wait()
        return dict(json.loads((Path(folder) / _OUT).read_text("utf-8")))


def _train(model_folder: Path, data_folder: Path, steps: int, folder: Path) -> None:
    """Be one rank."""
    from transformers import AutoModelForCausalLM

    from backend.core.errors import RankDone
    from backend.data.chat_template import Encoder
    from backend.data.dataset import DataFolder
    from backend.data.encoding import EncodedExamples, encode_rows
    from backend.jobs.context import MemoryContext
    from backend.ml.inference.load import tokenizer_of
    from backend.ml.training import lora, trainer
    from backend.stages.finetune import FinetuneParams

    for module in (lora, trainer):
        module.bf16_pays = lambda: False  # type: ignore[attr-defined]
    params = FinetuneParams(model="m", data="d", max_steps=steps, batch_size=8, rank=8, learning_rate=1e-3)
    data = DataFolder(data_folder)
    examples = encode_rows(Encoder(model_folder), data.template, data.rows("train"), 256)
    held_out = EncodedExamples(items=examples.items[:8])
    ctx = MemoryContext(folder)
    model = lora.add_adapter(AutoModelForCausalLM.from_pretrained(str(model_folder), dtype="float32"), params, 0)
    try:
        told = trainer.train(model, tokenizer_of(model_folder), examples, held_out, params, ctx).metrics
    except RankDone:
        return
    losses = [event["value"] for event in ctx.events if event["event"] == "metric" and event["name"] == "loss"]
    found = {"losses": losses, "tokens_per_s": told["tokens_per_s"], "eval_loss": told["eval_loss"]}
    (folder / _OUT).write_text(json.dumps(found), "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--in", dest="folder", type=Path)
    asked = parser.parse_args()
    if asked.folder:
        _train(asked.model, asked.data, asked.steps, asked.folder)
        return
    one, several = (measure(asked.model, asked.data, count, asked.steps) for count in (1, asked.processes))
    apart = max(abs(a - b) for a, b in zip(one["losses"], several["losses"], strict=True))
    print(
        f"losses of {len(one['losses'])} steps: at most {apart:.1e} apart; {one['losses'][0]:.3f} to {one['losses'][-1]:.3f}"
    )
    pace = several["tokens_per_s"], one["tokens_per_s"]
    print(f"tokens/s: {pace[1]:.0f} in one process, {pace[0]:.0f} in {asked.processes} (each with one thread)")


if __name__ == "__main__":
    main()
