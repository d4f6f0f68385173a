"""The card of what is pushed to a hub, where it brings none: what it is, its license and its base, as hubs read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from backend.core.schemas import ArtifactView, Kind

_LIBRARY = {Kind.MODEL: "transformers", Kind.ADAPTER: "peft"}
_SPLITS = ("train", "validation", "test", "pool")


def card(view: ArtifactView, lineage: Sequence[ArtifactView]) -> str:
    """`lineage`: what it was made from, nearest first."""
    head: dict[str, Any] = {"license": (view.license or "other").lower(), "tags": ["slmops-studio"]}
    base = next((hub["repo"] for each in lineage if each.kind is Kind.MODEL and (hub := each.facts.get("hub"))), None)
    lines = [f"# {_line(view.name)}", ""]
    if view.kind is Kind.DATASET:
        head |= _configs(view)
        rows = ", ".join(f"{count:,} {split}" for split, count in view.facts.get("rows", {}).items() if count)
        lines.append(f"Rows: {rows or 'none'}, as JSON Lines. `template.json` holds the prompt.")
        if labels := view.facts.get("labels"):
            lines.append(f"Labels: {_line(', '.join(map(str, labels[:50])))}.")
    else:
        head |= {"pipeline_tag": "text-generation", "library_name": _LIBRARY.get(view.kind, "onnxruntime-genai")}
        head |= {"base_model": base} if base else {}
        millions = view.facts.get("parameters", 0) / 1e6
        lines.append(
            f"Kind: {view.kind.value}. Architecture: {view.facts.get('architecture', '?')}, {millions:.1f} M parameters."
        )
    if origin := view.facts.get("hub"):
        lines.append(f"It came from {_line(str(origin.get('repo')))}, commit {_line(str(origin.get('commit')))}.")
    made = [f"- {each.kind.value}: {_line(each.name)}, license {_line(each.license or 'unknown')}" for each in lineage]
    lines += ["", "## Made from", "", *made] if made else []
    lines += ["", "## License", "", _line(view.license or "Unknown: ask whoever made the base model and the data."), ""]
    lines.append("Made with SLMOps Studio.")
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---\n\n" + "\n".join(lines) + "\n"


def without_local_path(file: Path) -> bytes | None:
    """The configuration of an adapter whose base is a folder of this machine, with the folder's name alone; else None."""
    content = json.loads(file.read_text("utf-8"))
    base = content.get("base_model_name_or_path")
    if not isinstance(base, str) or not (base.startswith(("/", "~", ".")) or "\\" in base):
        return None
    content["base_model_name_or_path"] = base.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return json.dumps(content, ensure_ascii=False, indent=2).encode()


def _configs(view: ArtifactView) -> dict[str, Any]:
    there = [split for split in _SPLITS if view.facts.get("rows", {}).get(split)]
    return {"configs": [{"config_name": "default", "data_files": [{"split": s, "path": f"{s}.jsonl"} for s in there]}]}


def _line(text: str) -> str:
    return " ".join(text.split())
