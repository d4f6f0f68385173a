"""Learning every turn against the last one: `python -m benchmarks.turns [--model FOLDER] [--conversations 40] [--full]`.

SmolLM2-135M and the demo's commands: conversations of four commands, each answered with its intent. The same conversations
train one model by every turn in one sequence, one by the last turn alone, and one by every turn as a row of its own, in
processes of their own. The loss is that of the right answers of held-out conversations, by turn, before and after.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

from backend.api import Studio
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.data.dataset import DataFolder, Row, Template, write_split, write_template
from backend.data.demo import demo_examples
from backend.data.encoding import IGNORE_INDEX, encode_rows
from backend.data.facts import data_facts
from backend.jobs.context import MemoryContext
from backend.models.probe import inspect_folder
from backend.stages import stage
from backend.stats.logprobs import answer_logprobs
from tests.helpers import view

_TURNS = 4
_HELD_OUT = 16
_TEMPLATE = Template(system="Name the intent of each command.")
_KINDS = ("every turn, one sequence", "last turn alone", "every turn, separate rows")


def main() -> None:
    asked = _arguments()
    if asked.part:
        return print(json.dumps(_measure(asked)))
    folder = Path(tempfile.mkdtemp(prefix="turns-"))
    model = Path(asked.model) if asked.model else Studio.open(home=Settings().home).model("smollm2-135m-instruct").path
    rows = _conversations(asked.conversations + _HELD_OUT)
    split = asked.conversations * _TURNS
    for kind in _KINDS:
        _write(folder / kind, kind, rows[:split], rows[split:])
    turns = " | ".join(f"turn {number + 1}" for number in range(_TURNS))
    print(
        f"| what is learned | sequences | tokens | seconds | {turns} |\n|---|---|---|---{'|---' * _TURNS}|", flush=True
    )
    for part in ("before", *_KINDS):
        command = [sys.executable, "-m", "benchmarks.turns", "--part", part, "--folder", str(folder)]
        command += ["--model", str(model), "--epochs", str(asked.epochs), "--batch", str(asked.batch)]
        command += ["--full"] if asked.full else []
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        numbers = [f"{found[name]:.0f}" for name in ("sequences", "tokens", "seconds")]
        print("| " + " | ".join([part, *numbers, *(f"{loss:.3f}" for loss in found["losses"])]) + " |", flush=True)
    return None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="a model folder; SmolLM2-135M-Instruct by default")
    parser.add_argument("--conversations", type=int, default=40)
    parser.add_argument("--epochs", type=float, default=2)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--full", action="store_true", help="train all weights, for a small model; else a LoRA adapter")
    parser.add_argument("--part", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _conversations(count: int) -> list[Row]:
    """Rows of conversations, each turn one; no command comes twice."""
    examples = demo_examples(("en",))
    Random(0).shuffle(examples)  # neighbours are of one intent
    rows: list[Row] = []
    for number in range(count):
        context: list[dict[str, Any]] = []
        for turn, example in enumerate(examples[number * _TURNS : (number + 1) * _TURNS]):
            name = f"c{number}"
            row = Row(
                id=f"{name}.{turn}", input=example.input, output=example.output, context=[*context], conversation=name
            )
            rows.append(row)
            context += [{"role": "user", "content": row.input}, row.answer_message()]
    return rows


def _write(folder: Path, kind: str, train: list[Row], held_out: list[Row]) -> None:
    folder.mkdir()
    last = [row for row in train if row.id.endswith(f".{_TURNS - 1}")]
    apart = [row.model_copy(update={"conversation": ""}) for row in train]
    write_template(folder, _TEMPLATE)
    write_split(folder, "train", dict(zip(_KINDS, (train, last, apart), strict=True))[kind])
    write_split(folder, "test", held_out)


def _measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Train one kind, and the losses of what it gave; of the model itself for `before`."""
    path, folder = Path(asked.model), Path(asked.folder)
    model = view(path, Kind.MODEL, "base", **inspect_folder(path))
    if asked.part == "before":
        return {"sequences": 0, "tokens": 0, "seconds": 0, "losses": _losses(model, model, folder / _KINDS[0])}
    data = view(folder / asked.part, Kind.DATASET, "data", **data_facts(folder / asked.part))
    ctx = MemoryContext(folder / f"run {asked.part}", [model, data])
    chosen = stage("distill" if asked.full else "finetune")
    given = {"student" if asked.full else "model": "base", "data": "data", "epochs": asked.epochs}
    params = chosen.parse({**given, "batch_size": asked.batch, "learning_rate": 1e-3, "evaluate_rows": 0})
    begun = time.perf_counter()
    made = chosen.run(params, ctx)
    seconds = time.perf_counter() - begun
    report = next(event for event in ctx.events if event["event"] == "artifact")
    kind = Kind.MODEL if asked.full else Kind.ADAPTER
    learned = view(Path(report["path"]), kind, made.artifact, **report["manifest"]["facts"])
    steps = int(made.metrics["steps"])
    return {
        "sequences": steps * asked.batch / asked.epochs,
        "tokens": made.metrics["trained_tokens"],
        "seconds": seconds,
        "losses": _losses(learned, model, data.path),
    }


def _losses(asked: ArtifactView, base: ArtifactView, data: Path) -> list[float]:
    """Mean -ln p per token of the right answers, by turn."""
    from backend.ml.inference.open import open_engine

    engine, folder = open_engine(asked, lambda _: base), DataFolder(data)
    losses: list[list[float]] = [[] for _ in range(_TURNS)]
    for item in encode_rows(engine.encoder, folder.template, folder.rows("test"), 2048, merge=True).items:
        logits = engine.logits(item["input_ids"])
        marked = groupby(enumerate(item["labels"]), lambda place: place[1] != IGNORE_INDEX)
        spans = [[at for at, _ in span] for learned, span in marked if learned]
        for turn, span in zip(losses, spans, strict=True):
            answer = [item["labels"][at] for at in span]
            turn.append(-float(answer_logprobs(logits[span[0] - 1 : span[-1]], answer).mean()))
    return [fmean(each) for each in losses]


if __name__ == "__main__":
    main()
