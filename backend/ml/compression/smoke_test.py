"""Ask a freshly converted ONNX folder in a process of its own.

`python -m backend.ml.compression.smoke_test QUESTION.json ANSWER.json`
A model that crashes ONNX Runtime then ends this process and not the stage. Writes the answer file last.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime_genai as og

from backend.core.artifacts import write_json
from backend.data.chat_template import Encoder

MAX_NEW_TOKENS = 8


def ask(folder: Path, prompts: list[list[int]]) -> dict[str, object]:
    """The likeliest first token of each answer, whether all logits are numbers, how far the first ones spread, and the
    first 8 tokens as text."""
    model, encoder = og.Model(str(folder)), Encoder(folder)
    first, texts, spread, finite = [], [], [], True
    for prompt in prompts:
        params = og.GeneratorParams(model)
        params.set_search_options(max_length=len(prompt) + MAX_NEW_TOKENS, do_sample=False)
        generator = og.Generator(model, params)
        generator.append_tokens(np.array(prompt, dtype=np.int32))
        logits = generator.get_output("logits")
        finite = finite and bool(np.isfinite(logits).all())
        spread.append(float(np.ptp(logits[0, -1])))
        first.append(int(logits[0, -1].argmax()))
        ids = []
        while not generator.is_done():
            generator.generate_next_token()
            ids.append(int(generator.get_next_tokens()[0]))
        texts.append(encoder.tokenizer.decode(ids, skip_special_tokens=False))
    return {"first": first, "finite": finite, "spread": spread, "texts": texts}


if __name__ == "__main__":
    question = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    write_json(Path(sys.argv[2]), ask(Path(question["folder"]), question["prompts"]))
