"""What a model is and what it needs: the card that pages and `slmops models show` print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from backend.core.schemas import View
from backend.core.stage import World
from backend.core.units import human_bytes
from backend.models.architectures import export_problems
from backend.models.costs import answer_bytes, lora_size, training_bytes


class Card(View):
    """Sizes in bytes. `fits` says for each use whether this machine's memory is enough; `exports`
    for each precision why it can't become ONNX, "" where it can."""

    parameters: int
    layers: int
    context: int
    vocabulary: int
    license: str
    disk_bytes: int
    memory: dict[str, int]
    fits: dict[str, bool]
    exports: dict[str, str]

    def rows(self) -> list[tuple[str, str]]:
        """Label and value, ready to print."""
        uses = [
            (f"Memory, {use}", f"{human_bytes(need)}{'' if self.fits[use] else ' (does not fit here)'}")
            for use, need in self.memory.items()
        ]
        return [
            ("Parameters", f"{self.parameters / 1e6:.1f} M"),
            ("Layers", str(self.layers)),
            ("Context", f"{self.context} tokens"),
            ("Vocabulary", f"{self.vocabulary} tokens"),
            ("License", self.license),
            ("Disk", human_bytes(self.disk_bytes)),
            *uses,
            *((f"ONNX export, {precision}", why or "yes") for precision, why in self.exports.items()),
        ]


def card(
    facts: dict[str, Any],
    world: World,
    license: str | None = None,
    disk_bytes: int | None = None,
    folder: Path | None = None,
) -> Card:
    """The card of a model with these facts on this machine; `disk_bytes` defaults to its float32 weights. `folder`: of its
    config, which says more about its export."""
    memory = {
        "inference fp32": answer_bytes(facts),
        "inference int4": answer_bytes({**facts, "format": "onnx", "precision": "int4"}),
        "LoRA training": training_bytes(facts, trained=lora_size(facts, 16, "all-linear"), batch_tokens=2048),
    }
    return Card(
        **{key: facts[key] for key in ("parameters", "layers", "context", "vocabulary")},
        license=license or "unknown",
        disk_bytes=facts["parameters"] * 4 if disk_bytes is None else disk_bytes,
        memory=memory,
        exports={name: _why_not_exported(facts, folder, name) for name in ("int4", "fp32")},
        fits={use: need <= world.memory_bytes for use, need in memory.items()},
    )


def _why_not_exported(facts: dict[str, Any], folder: Path | None, precision: str) -> str:
    return " ".join(each.fact() for each in export_problems(facts, folder, precision=precision))
