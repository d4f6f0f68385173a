"""Tries a model that comes in: renders a question by its chat template, tokenizes it and lets it write eight tokens.

What a card then shows is what training, chat and serving will do, before an hour is spent on it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from jinja2.exceptions import TemplateError, TemplateSyntaxError
from transformers import AutoModelForCausalLM

from backend.core import machine
from backend.core.errors import Problem, StudioError
from backend.core.limits import within_cpu
from backend.data.chat_template import Encoder
from backend.data.dataset import Message
from backend.ml.inference.findings import reason_of

QUESTION = "What is the capital of France?"
SYSTEM = "Answer in one word."
TOKENS = 8
_SHOWN_CHARS = 2_000
_RENDER_SECONDS = 30
"""Of CPU: the largest vocabularies load in ten, a template renders in a thousandth of one."""
_SHARE = 0.5
"""Of the free memory that the weights may take for the trial; a larger model is rendered and tokenized only."""


def tried(folder: Path, base: Path | None = None) -> tuple[dict[str, Any], list[Problem]]:
    """What came out, and what is wrong or was settled; a blocking problem means that the model can't be used. The first holds
    `prompt` and `end` (text), `prompt_tokens`, and where the model fits `answer` and `ended` (whether it stopped by
    itself). `base`: of the adapter in `folder`."""
    encoder = Encoder(folder)
    try:
        with within_cpu(_RENDER_SECONDS):
            talk = encoder.conversation
            if problem := talk.problem():
                return {}, [problem]
            if encoder.tokenizer.token_to_id(talk.end) is None:
                return {}, [Problem(code="talk.unknown_end", args={"end": talk.end})]
            messages = [Message(role="system", content=SYSTEM), Message(role="user", content=QUESTION)]
            ids, text = encoder.chat_ids(messages), encoder.render(messages)
    except TimeoutError:
        return {}, [Problem(code="talk.endless", args={"seconds": _RENDER_SECONDS})]
    except StudioError as error:
        return {}, error.problems
    except TemplateSyntaxError as error:
        return {}, [Problem(code="talk.syntax", args={"line": error.lineno, "reason": reason_of(error)})]
    except MemoryError:
        return {}, [Problem(code="talk.refused", args={"reason": "it needs too much memory."})]
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        return {}, [
            Problem(code="talk.refused", args={"reason": reason_of(error)})
        ]  # what a template's own code raises
    if QUESTION not in text:
        return {}, [Problem(code="talk.question_lost")]
    found: dict[str, Any] = {"prompt": text[:_SHOWN_CHARS], "end": talk.end, "prompt_tokens": len(ids)}
    size = sum(file.stat().st_size for place in (folder, base) if place for file in place.glob("*.safetensors"))
    if not ids or size > _SHARE * machine.available_bytes():
        return found, talk.findings
    try:
        answer = _generated(_opened(folder, base), ids, encoder.stops)
    except Exception as error:  # whatever an architecture's own code raises
        return found, [Problem(code="models.trial_failed", args={"reason": reason_of(error)})]
    ended = bool(answer) and answer[-1] in encoder.stops
    return found | {"answer": encoder.text(answer), "ended": ended}, talk.findings


def _opened(folder: Path, base: Path | None) -> Any:
    model: Any = AutoModelForCausalLM.from_pretrained(
        str(base or folder), dtype="auto", local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    if base is None:
        return model.eval()
    from peft import PeftModel

    return PeftModel.from_pretrained(model, str(folder), local_files_only=True).eval()


def _generated(model: Any, ids: list[int], stops: frozenset[int]) -> list[int]:
    """The likeliest tokens, at most `TOKENS`."""
    written: list[int] = []
    with torch.inference_mode():
        for _ in range(TOKENS):
            logits = model(input_ids=torch.tensor([ids + written])).logits[0, -1]
            if not bool(torch.isfinite(logits).any()) or bool(torch.isnan(logits).any()):
                raise ValueError("it gives no numbers (NaN) as scores.")
            written.append(int(logits.argmax()))
            if written[-1] in stops:
                break
    return written
