"""Conversations with one or two models: kept in the web process, written by threads, read by every session. Draws nothing."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from backend.api.host import Piece
from backend.core.errors import StudioError
from backend.data.dataset import Message, Row, Template
from backend.inference.protocol import Sampling
from studio.ui.playground.model_loader import ModelLoader

MAX_CHATS = 50
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChatSettings:
    """How models are asked: how answers are drawn, one system prompt for all (None: each model's own), and whether earlier
    messages go along."""

    sampling: Sampling
    system: str | None = None
    history: bool = True


class Answer:
    """One model's answer, written in a thread of its own that ends with the answer. `end`: what the model said of it when it
    was finished; `stopped`: somebody stopped it, what was said is kept; `error`: why it broke off."""

    def __init__(self, loads: ModelLoader, model: str, messages: list[Message], sampling: Sampling) -> None:
        self.model = model
        self.messages = messages
        self.sampling = sampling
        self.begun = time.monotonic()
        self.pieces: list[str] = []
        self.end: Piece | None = None
        self.error: StudioError | None = None
        self.done = False
        self._loader = loads
        self._stop = threading.Event()
        threading.Thread(target=self._run, daemon=True, name=f"answer {model}").start()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def stopped(self) -> bool:
        return self._stop.is_set() and self.end is None and self.error is None

    def stop(self) -> None:
        self._stop.set()
        self.done = True

    def ask_again(self) -> Answer:
        """The same question once more."""
        return Answer(self._loader, self.model, self.messages, self.sampling)

    def _run(self) -> None:
        try:
            self._loader.begin(self.model).wait(self._stop)
            if not self._stop.is_set():
                answer = self._loader.client.chat(self.model, self.messages, self.sampling)
                with closing(answer) as said:  # type: ignore[type-var]
                    for piece in said:
                        if self._stop.is_set():
                            return
                        self._take(piece)
        except StudioError as error:
            self._fail(error)
        except Exception as error:
            log.exception("an answer of %s failed", self.model)
            self._fail(StudioError("core.unexpected", reason=str(error)))
        finally:
            self.done = True

    def _take(self, piece: Piece) -> None:
        if piece.done:
            self.end = piece
        elif piece.text:
            self.pieces.append(piece.text)

    def _fail(self, error: StudioError) -> None:
        if not self._stop.is_set():
            self.error = error


@dataclass
class Turn:
    """A message and the answers to it by model; `expected`: what the dataset says, when it was one of its rows; `samples`: how
    often it was asked."""

    input: str
    expected: str | None = None
    answers: dict[str, Answer] = field(default_factory=dict)
    samples: int = 1

    @property
    def busy(self) -> bool:
        return any(not answer.done for answer in self.answers.values())


class Chat:
    """A conversation of a project with fixed models: artifact id -> the template that it learned. `setup`: the last one that
    was used. May be used by threads."""

    def __init__(self, project: str, templates: dict[str, Template], loads: ModelLoader) -> None:
        self.id = uuid4().hex[:12]
        self.project = project
        self.models = list(templates)
        self.setup: ChatSettings | None = None
        self.turns: list[Turn] = []
        self.created = datetime.now(UTC)
        self._templates = templates
        self._loader = loads
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        return any(turn.busy for turn in self.turns)

    def say(self, text: str, setup: ChatSettings, expected: str | None = None) -> None:
        """Ask all models; answers that are still being written are stopped, and what they said stays."""
        with self._lock:
            self._stop()
            turn = Turn(text, expected)
            self._ask(turn, setup)
            self.turns.append(turn)

    def regenerate(self, setup: ChatSettings) -> None:
        """Ask the last message once more, with other random numbers."""
        with self._lock:
            self._stop()
            turn = self.turns[-1]
            turn.samples += 1
            self._ask(turn, setup)

    def retry(self, model: str) -> None:
        """Ask once more what this model could not answer last."""
        with self._lock:
            failed = self.turns[-1].answers.get(model) if self.turns else None
            if failed and failed.error:
                self.turns[-1].answers[model] = failed.ask_again()

    def stop(self) -> None:
        with self._lock:
            self._stop()

    def clear(self) -> None:
        with self._lock:
            self._stop()
            self.turns.clear()

    def export(self) -> dict[str, Any]:
        """All that was asked and said, as JSON takes it."""
        return {
            "conversation": self.id,
            "created": self.created.isoformat(),
            "models": self.models,
            "turns": [_turn(turn) for turn in self.turns],
        }

    def _ask(self, turn: Turn, setup: ChatSettings) -> None:
        self.setup = setup
        sampling = setup.sampling.model_copy(update={"seed": (setup.sampling.seed + turn.samples - 1) % 2**31})
        for model in self.models:
            messages = self._messages(model, turn, setup)
            turn.answers[model] = Answer(self._loader, model, messages, sampling)

    def _messages(self, model: str, turn: Turn, setup: ChatSettings) -> list[Message]:
        """As the model learned to read them: its template around what was said so far and this message."""
        template = self._templates[model]
        if setup.system is not None:
            template = template.model_copy(update={"system": setup.system})
        context: list[Message] = []
        for earlier in self.turns if setup.history else []:
            said = earlier.answers[model].text
            if earlier is not turn and said:
                asked = template.prompt(Row(id="", input=earlier.input))[-1]
                context += [asked, {"role": "assistant", "content": said}]
        return template.prompt(Row(id="", input=turn.input, context=context))

    def _stop(self) -> None:
        for turn in self.turns:
            for answer in turn.answers.values():
                if not answer.done:
                    answer.stop()


class ChatStore:
    """The last conversations of all projects; the oldest makes room, and its answers end."""

    def __init__(self) -> None:
        self._all: dict[str, Chat] = {}
        self._lock = threading.Lock()

    def find(self, chat_id: str) -> Chat | None:
        return self._all.get(chat_id)

    def add(self, chat: Chat) -> Chat:
        with self._lock:
            self._all[chat.id] = chat
            while len(self._all) > MAX_CHATS:
                self._all.pop(next(iter(self._all))).stop()
        return chat

    def of(self, project: str) -> list[Chat]:
        """Those in which something was said, newest first."""
        return [chat for chat in reversed(list(self._all.values())) if chat.project == project and chat.turns]


def _turn(turn: Turn) -> dict[str, Any]:
    answers = [_answer(answer) for answer in turn.answers.values()]
    return {"input": turn.input, "expected": turn.expected, "answers": answers}


def _answer(answer: Answer) -> dict[str, Any]:
    end = answer.end
    return {
        "model": answer.model,
        "messages": answer.messages,
        "sampling": answer.sampling.model_dump(exclude={"full_length"}),
        "text": answer.text,
        "finish": end.finish if end else "stopped" if answer.stopped else None,
        "error": answer.error.text() if answer.error else None,
        "figures": end.model_dump(exclude={"text", "done", "finish"}) if end else {},
    }
