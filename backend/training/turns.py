"""What a model's chat template makes of conversations and tools, before anything is loaded. No torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError

from backend.core.errors import Problem, StudioError
from backend.core.stage import ArtifactInfo, World
from backend.data.chat_template import Encoder
from backend.data.dataset import Row, Template
from backend.data.facts import complete_facts
from backend.models import costs

_TURN_CHARS = 36
"""Role marks of one more turn: about ten tokens."""
_NAME = "look_up_weather"
_PARAMETERS = {"type": "object", "properties": {"place": {"type": "string", "description": "A town."}}}
_PROBE = Row(
    id="",
    input="Will it rain?",
    output="",
    tools=[{"type": "function", "function": {"name": _NAME, "description": "", "parameters": _PARAMETERS}}],
    tool_calls=[{"type": "function", "id": "abcdefghi", "function": {"name": _NAME, "arguments": {"place": "Rome"}}}],
)


def check_tools(model_ref: str, data_ref: str, world: World) -> list[Problem]:
    """Whether the chat template of a model has a place for the tools of a dataset; both references are known to be good. What
    is still to be made can't tell."""
    model, data = world.describe(model_ref), world.describe(data_ref)
    if not model or not data or not complete_facts(data.facts, data.path).get("tool_rows"):
        return []
    folder = _folder(model)
    if folder is None or _writes_tools(folder):
        return []
    return [Problem(code="tools.no_place", args={"model": model_ref}, field="data")]


def training_facts(merge: bool, max_length: int, model: ArtifactInfo, data: ArtifactInfo) -> dict[str, Any]:
    """The facts of a dataset as a training reads it: with `merge`, where the model's chat template writes earlier turns as
    they were answered, a conversation is one row of all its answers. Of one that is longer than `max_length` the turns that do
    not fit stay rows of their own."""
    facts = complete_facts(data.facts, data.path)
    rows, sequences = int(facts["rows"].get("train", 0)), int(facts.get("sequences") or 0)
    folder = _folder(model)
    if not merge or not 0 < sequences < rows or folder is None or not _keeps_turns(folder):
        return facts
    turns = rows / sequences
    prompt = facts["sequence_prompt_chars"] + (turns - 1) * _TURN_CHARS
    learned = facts["sequence_answer_chars"]
    marked = (prompt + learned) / max(1.0, facts["sequence_prompt_chars"] + learned)
    length = costs.prompt_tokens(prompt) + costs.answer_tokens({"answer_chars": learned})
    apart = turns * max(0.0, 1 - max_length / length)
    return {
        **facts,
        "rows": {**facts["rows"], "train": round(sequences * (1 + apart))},
        "prompt_chars": prompt,
        "answer_chars": learned / (1 + apart),
        "longest_chars": facts.get("longest_chars", 0) * marked,
    }


def _folder(known: ArtifactInfo) -> Path | None:
    """Where a model with a tokenizer lies; None while it is still to be made."""
    there = known.path and not known.pending and (Path(known.path) / "tokenizer.json").is_file()
    return Path(known.path) if there and known.path else None


@lru_cache(maxsize=32)  # an artifact does not change
def _writes_tools(folder: Path) -> bool:
    try:
        return _NAME in Encoder(folder).answer_text(Template(), _PROBE)
    except (StudioError, TemplateError):
        return False


@lru_cache(maxsize=32)
def _keeps_turns(folder: Path) -> bool:
    try:
        return Encoder(folder).keeps_turns()
    except TemplateError:
        return False
