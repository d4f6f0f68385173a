"""The process that holds a model and answers: `python -m backend.serve.engine_process <artifact id>`.

Reads its order (`EngineOrder`) as the first line of stdin and leaves when stdin ends, that is with its parent. Loads the model,
says `{"ready": true}` or `{"problems": [...]}` on what was stdout, then reads requests and writes what happens to them, an
array of events a line (see `backend.serve.engine_client.Event`). Here is where torch or ONNX Runtime live.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jinja2.exceptions import TemplateError

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.dataset import Message, Template
from backend.inference.detokenizer import Detokenizer, TokenBytes
from backend.inference.engine import Engine
from backend.inference.protocol import Decoder, Sampling
from backend.inference.scheduler import Sequence
from backend.ml.inference.open import open_engine
from backend.process.guards import EXIT_ORPHAN, die_with_parent
from backend.serve.lineage import offered
from backend.serve.schemas import EngineOrder, as_studio_error, problems_json


class ChatModel:
    """An engine and how it is asked: a conversation becomes a sequence. `template`: put plain messages into it first;
    `context`: tokens that prompt and answer may have together."""

    def __init__(self, engine: Engine, context: int, template: Template | None) -> None:
        self.engine = engine
        self.context = context
        self._template = template
        self._vocabulary = TokenBytes(engine.encoder)

    def warm_up(self) -> None:
        """The first tokens of a process take several times as long as those after them. Raises when the model can't
        answer."""
        for _token in self.engine.stream_ids(self.engine.encoder.ids("Hello"), Sampling(max_new_tokens=2)):
            continue

    def sequence(self, asked: dict[str, Any]) -> Sequence:
        """Raises StudioError when the messages leave no tokens for an answer, or when the chat template refuses them."""
        messages = templated(self._template, asked["messages"]) if self._template else asked["messages"]
        try:
            prompt = self.engine.encode(messages)
        except TemplateError as error:
            raise StudioError("serve.template", model=self.engine.name, reason=str(error), field="messages") from error
        left = self.context - len(prompt)
        if left < 1:
            raise StudioError("serve.prompt_long", tokens=len(prompt), context=self.context, field="messages")
        sampling = Sampling(
            max_new_tokens=min(asked["max_tokens"] or left, left),
            temperature=asked["temperature"],
            top_p=asked["top_p"],
            seed=asked["seed"],
            constraint=asked.get("constraint"),
        )
        detokenizer = Detokenizer(self.engine.encoder, asked["stop"], asked["top_logprobs"], self._vocabulary)
        return self.engine.sequence(prompt, sampling, detokenizer)


class EngineProcess:
    """Takes requests in one thread and answers them in another: models that share their weights go on in turn. `write` takes
    bytes of whole lines."""

    def __init__(self, models: Mapping[str, ChatModel | StudioError], write: Callable[[bytes], object]) -> None:
        self._models = models
        self._schedulers = [one.engine.scheduler for one in models.values() if isinstance(one, ChatModel)]
        self._write = write
        self._asked: queue.SimpleQueue[tuple[int, ChatModel, Sequence] | int] = queue.SimpleQueue()
        self._open: dict[Sequence, int] = {}
        self._events: list[Any] = []
        self._lock = threading.Lock()

    def take(self, line: bytes) -> None:
        """A line from the parent: a request, or the id of one that nobody waits for any more."""
        asked = json.loads(line)
        if "cancel" in asked:
            self._asked.put(asked["cancel"])
            return
        try:
            model = self._models[asked["view"]]
            if isinstance(model, StudioError):
                raise model
            sequence = model.sequence(asked)
        except Exception as error:
            self._tell_failure(asked["id"], error)
        else:
            self._tell(["accepted", asked["id"], len(sequence.prompt)])
            self._asked.put((asked["id"], model, sequence))
        self._flush()

    def work(self) -> None:
        """Answer; never returns."""
        while True:
            self._sort_in()
            for scheduler in self._schedulers:
                for sequence in scheduler.step():
                    self._tell_progress(sequence)
            self._flush()

    def _sort_in(self) -> None:
        """What came meanwhile; waits when there is nothing to do."""
        while not self._open or not self._asked.empty():
            one = self._asked.get()
            if not isinstance(one, int):
                number, model, sequence = one
                self._open[sequence] = number
                model.engine.scheduler.add(sequence)
                continue
            for left in [each for each, number in self._open.items() if number == one]:
                del self._open[left]
                for scheduler in self._schedulers:
                    scheduler.drop(left)

    def _tell_progress(self, sequence: Sequence) -> None:
        number, text = self._open[sequence], sequence.detokenizer
        assert text
        if sequence.finish:
            del self._open[sequence]
        if sequence.error:
            return self._tell_failure(number, sequence.error)
        piece, entries = text.finish() if sequence.finish else text.take()
        if piece or entries:
            self._tell(["text", number, piece, entries, len(sequence.tokens)])
        if sequence.finish:
            self._tell(["end", number, sequence.finish, len(sequence.tokens), timings(sequence)])

    def _tell_failure(self, number: int, error: Exception) -> None:
        if not isinstance(error, StudioError):
            traceback.print_exception(error, file=sys.stderr)
            error = as_studio_error(error)
        self._tell(["fail", number, problems_json(error)["problems"]])

    def _tell(self, event: list[Any]) -> None:
        with self._lock:
            self._events.append(event)

    def _flush(self) -> None:
        """One line for all that happened since the last one."""
        with self._lock:
            if self._events:
                self._write(json.dumps(self._events).encode() + b"\n")
                self._events = []


def timings(sequence: Sequence) -> dict[str, float | None]:
    """`ttft_ms`: from the beginning of the prompt to the first token; `decode_tokens_per_s`: after that."""
    steps = len(sequence.tokens) - 1
    rate = steps / (sequence.last - sequence.first) if steps > 0 else None
    return {"ttft_ms": 1000 * (sequence.first - sequence.begun), "decode_tokens_per_s": rate}


def templated(template: Template, messages: list[Message]) -> list[Message]:
    """Messages as the model learned to read them. One that says how to answer (a system message) is taken at its word."""
    if any(message["role"] == "system" for message in messages):
        return messages
    system = [{"role": "system", "content": template.system}] if template.system else []
    words = {"user": template.user}
    return [
        *system,
        *(
            {**each, "content": words.get(each["role"], "{input}").replace("{input}", each["content"])}
            for each in messages
        ),
    ]


def readable(decoder: Decoder, context: int, cache_bytes: int) -> int:
    """How many tokens prompt and answer may have together: the model's context, or less when the memory is short."""
    while decoder.bytes_for([context]) > cache_bytes:
        context //= 2
    return context


def open_models(order: EngineOrder, view: ArtifactView) -> dict[str, ChatModel | StudioError]:
    """What the process offers, by artifact id; an adapter that can't be loaded leaves its reason there and the others alone.
    Raises StudioError when the model can't be loaded."""
    limits = order.limits
    if limits is None:
        return {view.id: ChatModel(open_engine(view, order.views.__getitem__), int(view.facts["context"]), None)}
    found: dict[str, ChatModel | StudioError] = {}

    def others(name: str) -> tuple[int, int]:
        """Sequences and bytes of all models but this one."""
        models = [each for other, each in found.items() if other != name and isinstance(each, ChatModel)]
        held = [each.engine.scheduler.held for each in models]
        return sum(sequences for sequences, _ in held), sum(size for _, size in held)

    for name, decoder in open_decoders(order, view).items():
        if isinstance(decoder, StudioError):
            found[name] = decoder
            continue
        facts = order.views[name].facts
        engine = Engine(order.views[name], decoder, limits.slots, limits.cache_bytes, partial(others, name))
        context = readable(decoder, int(facts["context"]), limits.cache_bytes)
        found[name] = ChatModel(engine, context, Template.model_validate(facts.get("template") or {}))
    return found


def open_decoders(order: EngineOrder, view: ArtifactView) -> Mapping[str, Decoder | StudioError]:
    """Of the model and of the adapters that are attached to it: they share its weights."""
    lookup = order.views.__getitem__
    if view.kind is not Kind.ONNX:
        from backend.ml.inference.torch_decoder import TorchDecoder

        return {view.id: TorchDecoder(view, lookup)}
    from backend.ml.inference.ort_decoder import OrtDecoder

    first = OrtDecoder(view, lookup)
    found: dict[str, Decoder | StudioError] = {view.id: first}
    for each in offered([view, *(each for each in order.views.values() if each.id != view.id)])[1:]:
        try:
            found[each.id] = OrtDecoder(each, lookup, first)
        except StudioError as error:
            sys.stderr.write(f"{each.name} is not served: {error}\n")
            found[each.id] = error
    return found


def main() -> None:
    """The command line. Never returns."""
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        os._exit(EXIT_ORPHAN)
    order = EngineOrder.model_validate_json(line)
    die_with_parent(order.host)
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print goes to the log

    def report(line: bytes) -> None:
        said.write(line)
        said.flush()

    try:
        models = open_models(order, order.views[sys.argv[1]])
        for model in models.values():
            if isinstance(model, ChatModel):
                model.warm_up()
    except Exception as error:
        report(json.dumps(problems_json(as_studio_error(error))).encode() + b"\n")
        if isinstance(error, StudioError):
            os._exit(1)
        raise
    report(b'{"ready": true}\n')
    process = EngineProcess(models, report)
    threading.Thread(target=_read, args=(process,), daemon=True).start()
    try:
        process.work()
    finally:
        sys.excepthook(*sys.exc_info())
        os._exit(1)  # the thread that reads stdin would keep the process


def _read(process: EngineProcess) -> None:
    for line in sys.stdin.buffer:
        process.take(line)
    os._exit(EXIT_ORPHAN)


if __name__ == "__main__":
    main()
