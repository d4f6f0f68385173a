"""Asks a model folder inside Foundry Local: `PYTHON -I foundry_child.py QUESTION.json ANSWERS.jsonl`.

Stands alone: the Python that runs it needs foundry-local-sdk and nothing of the studio. The runtime brings an ONNX Runtime
GenAI of its own version, so it never shares a process with ours. Writes one JSON line when the model is loaded and one per
answer.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any, TextIO


def main(question: dict[str, Any], out: TextIO) -> None:
    """`question`: folder, model_id, place (for the runtime's own files), prompts (messages each), max_new_tokens."""
    import foundry_local_sdk as fl

    begun = time.perf_counter()
    config = fl.Configuration(
        "slmops-studio",
        app_data_dir=question["place"],
        model_cache_dir=question["place"],
        logs_dir=question["place"],
        disable_nonessential_telemetry=True,
    )
    fl.FoundryLocalManager.initialize(config)
    catalog = fl.FoundryLocalManager.instance.get_catalog(fl.CatalogType.LOCAL)
    with fl.ModelInfoBuilder() as about:
        about.set_string_property("task", "chat-completion")
        model = catalog.register_model(question["folder"], question["model_id"], about)
    model.load()
    write_line(out, load_seconds=time.perf_counter() - begun, sdk=fl.__version__)
    for messages in question["prompts"]:
        write_line(out, **answer(fl, model, messages, question["max_new_tokens"]))
    write_line(out, peak_memory_bytes=peak_memory())
    model.unload()


def answer(fl: Any, model: Any, messages: list[dict[str, str]], max_new_tokens: int) -> dict[str, Any]:
    """Greedy, in a session of its own: earlier questions do not count."""
    begun = time.perf_counter()
    with fl.ChatSession(model) as session, fl.Request() as request:
        search = fl.SearchOptions(temperature=0.0, max_output_tokens=max_new_tokens)
        session.set_options(fl.RequestOptions(search=search))
        for message in messages:
            request.add_item(getattr(fl.MessageItem, message["role"])(message["content"]))
        with session.process_request(request) as response:
            text = "".join(item.get_simple_text() for item in response)
            usage = response.get_usage()
    seconds = time.perf_counter() - begun
    return {
        "text": text,
        "prompt_tokens": usage.prompt_tokens,
        "tokens": usage.completion_tokens,
        "seconds": seconds,
    }


def peak_memory() -> int:
    """Bytes. On Linux the rusage of a fresh process still holds what its parent had, so the kernel's own mark counts there."""
    status = Path("/proc/self/status")
    if status.is_file():
        marks = dict(line.split(":", 1) for line in status.read_text("utf-8").splitlines())
        return int(marks["VmHWM"].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def write_line(out: TextIO, **words: Any) -> None:
    out.write(json.dumps(words) + "\n")
    out.flush()


if __name__ == "__main__":
    with Path(sys.argv[2]).open("w", encoding="utf-8") as stream:
        main(json.loads(Path(sys.argv[1]).read_text("utf-8")), stream)
