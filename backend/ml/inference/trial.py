"""Tries a model that comes in: renders a question by its chat template, tokenizes it and lets it write eight tokens.

What a card then shows is what training, chat and serving will do, before an hour is spent on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from backend.core import machine
from backend.core.errors import Problem, StudioError
from backend.data.chat_template import Encoder
from backend.data.dataset import Message

QUESTION = "What is the capital of France?"
SYSTEM = "Answer in one word."
TOKENS = 8
_SHOWN_CHARS = 2_000
_SHARE = 0.5
"""Of the free memory that the weights may take for the trial; a larger model is rendered and tokenized only."""


def tried(folder: Path) -> tuple[dict[str, Any], list[Problem]]:
    """What came out, and what is wrong or was settled; a blocking problem means that the model can't be used. The first holds
    `prompt` and `end` (text), `prompt_tokens`, and where the model fits `answer` and `ended` (whether it stopped by
    itself)."""
    encoder = Encoder(folder)
    try:
        talk = encoder.conversation
        if problem := talk.problem():
            return {}, [problem]
        messages = [Message(role="system", content=SYSTEM), Message(role="user", content=QUESTION)]
        ids, text = encoder.chat_ids(messages), encoder.render(messages)
    except StudioError as error:
        return {}, error.problems
    found: dict[str, Any] = {"prompt": text[:_SHOWN_CHARS], "end": talk.end, "prompt_tokens": len(ids)}
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    if not ids or size > _SHARE * machine.available_bytes():
        return found, talk.findings
    try:
        answer = _generated(folder, ids, encoder.stops)
    except Exception as error:  # whatever an architecture's own code raises
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        return found, [Problem(code="models.trial_failed", args={"reason": reason})]
    ended = bool(answer) and answer[-1] in encoder.stops
    return found | {"answer": encoder.text(answer), "ended": ended}, talk.findings


def _generated(folder: Path, ids: list[int], stops: frozenset[int]) -> list[int]:
    """The likeliest tokens, at most `TOKENS`."""
    model: Any = AutoModelForCausalLM.from_pretrained(
        str(folder), dtype="auto", local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    written: list[int] = []
    with torch.inference_mode():
        for _ in range(TOKENS):
            logits = model.eval()(input_ids=torch.tensor([ids + written])).logits
            written.append(int(logits[0, -1].argmax()))
            if written[-1] in stops:
                break
    return written
