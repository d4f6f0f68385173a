"""Makes ONNX folders of one model by one or several schemes: what more of them need (texts to calibrate on, the scan of the
layers) is made once and kept in `work`, where a second attempt finds it."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.core.progress import Progress
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row, Template, gold_answer
from backend.ml.compression import olive_export
from backend.ml.compression.adapter_slots import add_slots
from backend.models.quantization import BITS, Scheme

SMOKE_TEST_PROMPTS = (
    "Hello.",
    "Turn on the light in the kitchen.",
    "¿Qué puedes hacer por mí?",
    "My order has not arrived yet.",
    "Write a short note to a colleague.",
    "What is 12 times 4?",
    "No funciona desde ayer.",
    "The soup was cold and the waiter rude.",
)
SENSITIVITY_ROWS = 16
"""Validation rows that the scan of the layers reads for each of them."""
PHASES = {
    "": "starting Olive",
    "quantize": "rounding weights",
    "head": "rounding weights",
    "build": "building the ONNX model",
    "tie": "tying embeddings",
}


class Quantizer:
    """`source`: a folder with torch weights; `data`: a dataset whose training rows calibrate and whose validation rows tell
    which layers are sensitive."""

    def __init__(
        self, source: Path, work: Path, progress: Progress, say: Callable[[str], None], data: Path | None, rows: int
    ) -> None:
        self.source, self.work, self.progress, self.say = source, work, progress, say
        self.data = DataFolder(data) if data else None
        self.rows = rows
        work.mkdir(parents=True, exist_ok=True)

    def make(self, scheme: Scheme, out: Path) -> dict[str, Any]:
        """Fill the empty folder `out`; what it said when it was asked. Raises StudioError when there is no model or it does
        not run."""
        texts = self._texts() if scheme.rounding == "gptq" and BITS[scheme.precision] <= 8 else None
        self.progress.add(0, PHASES[""])
        olive = self.work / "olive"
        config = olive_export.olive_config(self.source, olive, scheme, texts)
        built = olive_export.run_olive(
            config, olive, lambda phase: self.progress.add(0, PHASES.get(phase, phase)), self.say
        )
        olive_export.collect_export(built, self.source, out, config)
        if scheme.adapters and not add_slots(out):
            raise StudioError("slots.none")
        self.progress.add(0, "testing the result")
        ask = olive_export.run_smoke_test if scheme.target == "cpu" else olive_export.run_smoke_test_on_cpu
        return ask(out, self.prompts(), self.progress)

    def prompts(self) -> list[list[int]]:
        """Short questions in the model's own template."""
        file = self.source / "template.json"
        template = Template.model_validate_json(file.read_text("utf-8")) if file.is_file() else Template()
        encoder = Encoder(self.source)
        return [encoder.prompt_ids(template, Row(id=str(at), input=text)) for at, text in enumerate(SMOKE_TEST_PROMPTS)]

    def sensitivity(self, block: int) -> list[float]:
        """Divergence (nats a token) that rounding each layer alone to 4 bits brings."""
        file = self.work / f"sensitivity-{block}.json"
        if not file.is_file():
            from backend.ml.compression.layer_sensitivity import layer_sensitivities

            self.progress.add(0, "measuring layers")
            model = self._model()
            write_json(file, layer_sensitivities(model, self._examples(), 4, block, self.progress))
            del model
            gc.collect()
        found: list[float] = json.loads(file.read_text("utf-8"))
        return found

    def exact(self, layers: list[int]) -> tuple[str, ...]:
        """The names of the modules in these layers."""
        from backend.ml.compression.layer_sensitivity import module_names

        return module_names(self._model(), layers)

    def _model(self) -> Any:
        import torch
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(
            self.source, dtype=torch.float32, local_files_only=True, trust_remote_code=False, use_safetensors=True
        ).eval()

    def _examples(self) -> list[tuple[list[int], list[int]]]:
        assert self.data is not None
        encoder = Encoder(self.source)
        rows = islice((row for row in self.data.rows("validation") if gold_answer(row) is not None), SENSITIVITY_ROWS)
        found = [
            (encoder.prompt_ids(self.data.template, row), encoder.gold_ids(self.data.template, row)) for row in rows
        ]
        if not found:
            raise StudioError("chat.no_truth", ref=self.data.path.name, split="validation")
        return found

    def _texts(self) -> Path:
        """Training rows as the model is asked and answers, one a line."""
        assert self.data is not None
        encoder, file = Encoder(self.source), self.work / "calibration.jsonl"
        known = islice((row for row in self.data.rows("train") if row.output is not None), self.rows)
        lines = [
            encoder.render(self.data.template.prompt(row)) + encoder.answer_text(self.data.template, row)
            for row in known
        ]
        if not lines:
            raise StudioError("chat.no_truth", ref=self.data.path.name, split="train")
        file.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines), encoding="utf-8")
        return file


def most_sensitive(divergence: list[float], count: int) -> list[int]:
    """The `count` layers that suffer most, in their order."""
    return sorted(sorted(range(len(divergence)), key=lambda at: -divergence[at])[:count])
