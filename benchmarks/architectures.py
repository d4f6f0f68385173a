"""What works with which architecture: `nice -n 10 python -m benchmarks.architectures [--only NAME ...] [--write]`.

Makes a tiny random model of each row of ROWS (2 layers, hidden size 64), and sends it through the chain as a person would:
import, LoRA, chat, merge, INT4 with its answers, FP32 with the parity check. One row after the other, in this process; Olive
and the exported model run in children as ever. `--write` puts what came out into assets/architectures.json, which docs, forms
and checks show. A step that fails names its reason; the steps behind it are left open. About 5 s a row, a minute with exports.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import traceback
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.core.paths import assets
from backend.core.schemas import ArtifactView, Kind
from backend.core.settings import Settings
from backend.db import Store
from backend.inference.protocol import Sampling
from backend.jobs.context import MemoryContext
from backend.models.architectures import STEPS, TABLE, exporter_lacks
from backend.models.catalogue import import_folder
from benchmarks.tiny_models import ROWS, build, build_data

PACKAGES = ("transformers", "peft", "onnxruntime-genai", "olive-ai", "onnxruntime")
TRAINING = {"rank": 16, "batch_size": 8, "max_steps": 100, "learning_rate": 0.003, "evaluate_rows": 0, "max_length": 64}
MOST_LOSS = 0.5
"""What an adapter must come below on its rows: this share of the loss that it began with."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=list(ROWS), choices=list(ROWS), metavar="NAME")
    parser.add_argument("--until", default=STEPS[-1], choices=STEPS, help="the last step to try")
    parser.add_argument("--write", action="store_true", help="keep the result in assets/")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    options = parser.parse_args()
    for name in options.only:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = try_row(name, Path(folder), options.until, options.debug)
        print(f"{time.monotonic() - begun:5.1f} s  {json.dumps(found)}", flush=True)
        if options.write:
            keep(found, assets() / TABLE)


def keep(found: dict[str, Any], file: Path) -> None:
    """Put one row into the table, in the order of ROWS, with the versions that it was tried with."""
    known = json.loads(file.read_text("utf-8")) if file.is_file() else {"rows": []}
    rows = {row["name"]: row for row in known["rows"]} | {found["name"]: found}
    packages = {package: version(package) for package in PACKAGES}
    write_json(file, {"packages": packages, "rows": [rows[name] for name in ROWS if name in rows]})


def try_row(name: str, work: Path, until: str = STEPS[-1], debug: bool = False) -> dict[str, Any]:
    """The row `name` of the table: each step is "yes", or why not; steps that were not reached are missing."""
    chain = Chain(name, work)
    found: dict[str, Any] = {"name": name, "type": ROWS[name].type, "title": ROWS[name].title, "steps": {}}
    for step in STEPS[: STEPS.index(until) + 1]:
        try:
            getattr(chain, f"do_{step}")()
            found["steps"][step] = "yes"
        except Exception as error:  # whatever a library raises is what the row has to say
            if debug:
                traceback.print_exc()
            found["steps"][step] = _reason(error)
            if step == "import":
                break
    return found | {"figures": chain.figures, "targets": chain.targets}


def _reason(error: Exception) -> str:
    if isinstance(error, StudioError):
        return f"{error.code}: {error}"[:300]
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"[:300]


class Chain:
    """One tiny model on its way. Each step needs those before it, and raises what went wrong."""

    def __init__(self, name: str, work: Path) -> None:
        self.work, self.name = work, name
        self.figures: dict[str, float] = {}
        self.targets: list[str] = []
        self.settings = Settings(home=work / "home")
        self.store = Store(self.settings.prepare().store_url)
        self.data = build_data(work / "data")
        self.views: dict[str, ArtifactView] = {self.data.id: self.data}
        build(ROWS[name], work / "source")

    def do_import(self) -> None:
        self.model = import_folder(self.store, self.settings, self.work / "source", self.name)
        self.views[self.model.id] = self.model
        self.tuned = self.model

    def do_lora(self) -> None:
        from backend.stages.finetune import FinetuneParams, run

        made, metrics = self._stage(run, FinetuneParams(model=self.model.id, data=self.data.id, **TRAINING))
        config = json.loads((made.path / "adapter_config.json").read_text("utf-8"))
        self.targets = sorted({name.rsplit(".", 1)[-1] for name in config["target_modules"]})
        self.figures["first_loss"] = round(next(e["value"] for e in self.events if e.get("name") == "loss"), 3)
        self.figures["train_loss"] = round(metrics["train_loss"], 3)
        self.tuned = made
        if not metrics["train_loss"] < MOST_LOSS * self.figures["first_loss"]:
            raise ValueError(f"the adapter learned nothing: {self.figures}")

    def do_chat(self) -> None:
        """In batches and token by token, which must say the same."""
        from backend.ml.inference.open import open_engine

        engine = open_engine(self.tuned, self._find)
        prompts = _prompts(self.data, self.tuned)
        sampling = Sampling(max_new_tokens=6)
        batch = dict(engine.answers(prompts, sampling))
        alone = [engine.answer(prompt, sampling) for prompt in prompts]
        if [batch[at] for at in range(len(prompts))] != alone:
            raise ValueError(f"answers in a batch differ: {batch} {alone}")

    def do_merge(self) -> None:
        """The merged weights, saved and read again, say what model and adapter said."""
        import torch

        from backend.ml.compression.olive_export import merged_model_folder
        from backend.ml.inference.load import load_model

        folder = self.work / "merged"
        folder.mkdir()
        merged_model_folder(self.tuned, self._find, folder)
        apart = load_model(self.tuned, self._find)
        whole = load_model(self.tuned.model_copy(update={"kind": Kind.MODEL, "path": folder}), self._find)
        ids = torch.tensor([_prompts(self.data, self.tuned)[0]])
        with torch.inference_mode():
            far = float((apart(ids).logits - whole(ids).logits).abs().max())
        self.figures["merge_difference"] = round(far, 5)
        if far > 1e-2:
            raise ValueError(f"merged, its logits differ by {far:.3f}")

    def do_int4(self) -> None:
        self.int4 = self._export("int4")
        self.figures |= {f"int4_{name}": value for name, value in self._parity(self.int4, strict=False).items()}

    def do_parity(self) -> None:
        self._parity(self._export("fp32"), strict=True)

    def _export(self, precision: str) -> ArtifactView:
        from backend.stages.quantize import QuantizeParams, run

        if problems := exporter_lacks(self.model.facts, self.model.path):
            raise StudioError.of(problems)
        made, _ = self._stage(run, QuantizeParams(model=self.tuned.id, precision=precision, block_size=32))
        return made

    def _parity(self, export: ArtifactView, strict: bool) -> dict[str, float]:
        from backend.stages.parity import ParityParams, run

        loose = {} if strict else {"max_kl": 2.0, "max_kl_prompt": 2.0, "max_perplexity": 10.0, "min_agreement": 0.5}
        params = ParityParams(model=export.id, data=self.data.id, rows=8, max_new_tokens=4, **loose)
        report, metrics = self._stage(run, params)
        wrong = report.facts["failed"]
        if wrong:
            values = {name: round(value, 4) for name, value in metrics.items()}
            raise ValueError(f"parity: {', '.join(wrong)} {values}")
        return {name: round(metrics[name], 4) for name in ("token_agreement", "kl_prompt") if name in metrics}

    def _find(self, ref: str) -> ArtifactView:
        return self.views[ref]

    def _stage(self, run: Callable[..., Any], params: Any) -> tuple[ArtifactView, dict[str, float]]:
        job = f"j{len(self.views)}"
        ctx = MemoryContext(self.work / job, list(self.views.values()), job_id=job)
        self.events = ctx.events
        result = run(params, ctx)
        sealed = next(event for event in ctx.events if event["event"] == "artifact")
        manifest = sealed["manifest"]
        made = self.model.model_copy(
            update={
                **{key: manifest[key] for key in ("name", "facts", "parents")},
                "id": result.artifact,
                "digest": result.artifact,
                "kind": Kind(manifest["kind"]),
                "path": Path(sealed["path"]),
            }
        )
        self.views[made.id] = made
        return made, result.metrics


def _prompts(data: ArtifactView, model: ArtifactView) -> list[list[int]]:
    from backend.data.chat_template import Encoder
    from backend.data.dataset import DataFolder

    folder, encoder = DataFolder(data.path), Encoder(model.path)
    return [encoder.prompt_ids(folder.template, row) for row in list(folder.rows("validation"))[:4]]


if __name__ == "__main__":
    main()
