"""The process that holds a served model: `python -m backend.serve.openai_api.engine_process <artifact id>`.

Reads its order (`AnswerOrder`) as the first line of stdin and leaves when stdin ends, that is with its front. Loads the model,
says `{"port": 0, "context": ...}` or `{"problems": [...]}` on what was stdout, then reads requests there and writes what
happens to them, an array of JSON a line. Here is where torch or ONNX Runtime live.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jinja2.exceptions import TemplateError

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.data.chat_template import Encoder
from backend.data.dataset import Message, Template
from backend.inference.text_engine import stop_ids
from backend.process.guards import EXIT_ORPHAN, die_with_parent
from backend.serve.lineage import offered
from backend.serve.openai_api.detokenizer import Names, Writing
from backend.serve.openai_api.sampler import Draw
from backend.serve.openai_api.scheduler import Rows, Tell, Turn, Turns
from backend.serve.schemas import AnswerOrder, problems_json
from backend.serve.streaming import told


class Seat:
    """One model that is asked: its words, and the answers that it gives. `beside`: answers and bytes of the models beside it,
    which share the bounds of the order."""

    def __init__(
        self, view: ArtifactView, rows: Rows, order: AnswerOrder, beside: Callable[[], tuple[int, int]], tell: Tell
    ) -> None:
        budget = order.cache_bytes
        self.context = readable(rows, int(view.facts["context"]), budget)
        self._name = view.name
        self._template = Template.model_validate(view.facts.get("template") or {})
        self._rows = rows
        self._encoder = Encoder(view.path)
        self._names = Names(self._encoder)
        self.turns = Turns(rows, stop_ids(view.path, self._encoder), order.most, budget, tell, beside)

    def warm_up(self) -> None:
        """The first tokens of a process take several times as long as those after them. Raises when the model can't
        answer."""
        failed: list[Any] = []
        turns = Turns(self._rows, frozenset(), 1, 2**62, failed.append)
        turns.add(Turn(0, self._encoder.ids("Hello"), 2, Draw(0, 1, 0), Writing(self._encoder, self._names, [], 1)))
        while not turns.idle:
            turns.round()
        for event in failed:
            if event[0] == "fail":
                raise event[2]

    def turn(self, asked: dict[str, Any]) -> Turn:
        try:
            prompt = self._encoder.ids(self._encoder.render(templated(self._template, asked["messages"])))
        except TemplateError as error:
            raise StudioError("serve.template", model=self._name, reason=str(error), field="messages") from error
        room = self.context - len(prompt)
        if room < 1:
            raise StudioError("serve.prompt_long", tokens=len(prompt), context=self.context, field="messages")
        draw = Draw(asked["temperature"], asked["top_p"], asked["seed"])
        writing = Writing(self._encoder, self._names, asked["stops"], asked["top"])
        return Turn(asked["id"], prompt, min(asked["most"] or room, room), draw, writing)


class Desk:
    """Takes requests in one thread and answers them in another: models that share their weights go on in turn. `seated`: their
    rows by id, or why there are none; `write` takes bytes of whole lines."""

    def __init__(
        self, seated: Mapping[str, Rows | StudioError], order: AnswerOrder, write: Callable[[bytes], object]
    ) -> None:
        self._absent = {name: rows for name, rows in seated.items() if isinstance(rows, StudioError)}
        self._seats: dict[str, Seat] = {}
        for name, rows in seated.items():
            if not isinstance(rows, StudioError):
                self._seats[name] = Seat(order.views[name], rows, order, partial(self._beside, name), self._tell)
        self.context = min(seat.context for seat in self._seats.values())
        self._write = write
        self._asked: queue.SimpleQueue[tuple[Seat, Turn] | int] = queue.SimpleQueue()
        self._news: list[Any] = []
        self._lock = threading.Lock()

    def _beside(self, name: str) -> tuple[int, int]:
        """Answers that have begun, and bytes, of all models but this one."""
        held = [seat.turns.held for other, seat in self._seats.items() if other != name]
        return sum(answers for answers, _ in held), sum(size for _, size in held)

    def warm_up(self) -> None:
        for seat in self._seats.values():
            seat.warm_up()

    def take(self, line: bytes) -> None:
        """A line from the front: a request, or the id of one that nobody waits for any more."""
        asked = json.loads(line)
        if "stop" in asked:
            self._asked.put(asked["stop"])
            return
        try:
            if asked["view"] in self._absent:
                raise self._absent[asked["view"]]
            seat = self._seats[asked["view"]]
            turn = seat.turn(asked)
        except Exception as error:
            self._tell(["fail", asked["id"], error])
            self._flush()
            return
        self._tell(["taken", turn.id, len(turn.prompt)])
        self._asked.put((seat, turn))
        self._flush()

    def work(self) -> None:
        """Answer; never returns."""
        while True:
            self._sort_in()
            for seat in self._seats.values():
                if not seat.turns.idle:
                    seat.turns.round()
            self._flush()

    def _sort_in(self) -> None:
        """What came meanwhile; waits when there is nothing to do."""
        while all(seat.turns.idle for seat in self._seats.values()) or not self._asked.empty():
            one = self._asked.get()
            if isinstance(one, int):
                for seat in self._seats.values():
                    seat.turns.stop(one)
            else:
                seat, turn = one
                seat.turns.add(turn)

    def _tell(self, event: list[Any]) -> None:
        if event[0] == "fail":
            error = event[2] if isinstance(event[2], StudioError) else told(event[2])
            event = ["fail", event[1], problems_json(error)["problems"]]
        with self._lock:
            self._news.append(event)

    def _flush(self) -> None:
        """One line for all that happened since the last one."""
        with self._lock:
            if self._news:
                self._write(json.dumps(self._news).encode() + b"\n")
                self._news = []


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


def readable(rows: Rows, context: int, budget: int) -> int:
    """How many tokens prompt and answer may have together: the model's context, or less when the memory is short."""
    while rows.bytes_for([context]) > budget:
        context //= 2
    return context


def open_rows(order: AnswerOrder, view: ArtifactView) -> Mapping[str, Rows | StudioError]:
    """Of the model and of the adapters that are attached to it, by id; an adapter that can't be loaded leaves its reason there
    and the others alone. Raises StudioError when the model can't be loaded."""
    lookup = order.views.__getitem__
    if view.kind is Kind.ONNX:
        from backend.ml.inference.ort_batch import OrtRows

        first = OrtRows(view, lookup)
        others = offered([view, *(each for each in order.views.values() if each.id != view.id)])[1:]
        found: dict[str, Rows | StudioError] = {view.id: first}
        for each in others:
            try:
                found[each.id] = OrtRows(each, lookup, first)
            except StudioError as error:
                sys.stderr.write(f"{each.name} is not served: {error}\n")
                found[each.id] = error
        return found
    from backend.ml.inference.torch_batch import TorchRows

    return {view.id: TorchRows(view, lookup)}


def main() -> None:
    """The command line. Never returns."""
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        os._exit(EXIT_ORPHAN)
    order = AnswerOrder.model_validate_json(line)
    die_with_parent(order.host)
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print goes to the log

    def report(line: bytes) -> None:
        said.write(line)
        said.flush()

    view = order.views[sys.argv[1]]
    try:
        desk = Desk(open_rows(order, view), order, report)
        desk.warm_up()
    except Exception as error:
        report(json.dumps(problems_json(told(error))).encode() + b"\n")
        if isinstance(error, StudioError):
            os._exit(1)
        raise
    report(json.dumps({"port": 0, "context": desk.context}).encode() + b"\n")
    threading.Thread(target=_read, args=(desk,), daemon=True).start()
    try:
        desk.work()
    finally:
        sys.excepthook(*sys.exc_info())
        os._exit(1)  # the thread that reads stdin would keep the process


def _read(desk: Desk) -> None:
    for line in sys.stdin.buffer:
        desk.take(line)
    os._exit(EXIT_ORPHAN)


if __name__ == "__main__":
    main()
