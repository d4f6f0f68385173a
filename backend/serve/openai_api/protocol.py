"""The body of `POST /v1/chat/completions` in OpenAI's form, and what of it the process of the engine is told."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from backend.core.errors import Problem, StudioError
from backend.data.dataset import Message
from backend.inference.constraint import Constraint
from backend.serve.openai_api import errors

MOST_STOPS, MOST_TOP = 4, 20
_WITHOUT: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "modalities": (["text"],),
    "audio": (),
    "logit_bias": ({},),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
}
"""Keys of OpenAI's form that would change the answer and that we don't have: the values at which they change nothing."""


class Part(BaseModel):
    """A part of a message."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One message of a conversation; parts of text are put together."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    @property
    def plain(self) -> Message:
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value or []


class StreamOptions(BaseModel):
    include_usage: bool = False


class NamedSchema(BaseModel):
    """`strict`, `description`: accepted; every schema is kept to."""

    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")
    schema_: dict[str, Any] = Field({}, alias="schema")


class ResponseFormat(BaseModel):
    """In which form an answer must come. Without a schema JSON is any object."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: NamedSchema | None = None

    def constraint(self) -> Constraint | None:
        if self.type == "text":
            return None
        schema = self.json_schema.schema_ if self.json_schema and self.type == "json_schema" else {"type": "object"}
        return Constraint(kind="json_schema", value=json.dumps(schema))


Stop = Annotated[str, Field(min_length=1, max_length=200)]


class ChatRequest(BaseModel):
    """Keys that change nothing here are passed over. Without `max_completion_tokens` (or its older name `max_tokens`) an
    answer may fill the model's context; without `seed` each drawn answer is another one. `constraint`, which OpenAI has not:
    labels, a regular expression or a grammar in place of `response_format`."""

    model_config = ConfigDict(strict=True)

    model: str = Field(min_length=1)
    messages: list[ChatMessage] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    temperature: float = Field(1.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    max_tokens: int | None = Field(None, ge=1)
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: Annotated[list[Stop], BeforeValidator(_listed)] = Field([], max_length=MOST_STOPS)
    response_format: ResponseFormat = ResponseFormat()
    constraint: Constraint | None = None
    logprobs: bool = False
    top_logprobs: int = Field(0, ge=0, le=MOST_TOP)

    @field_validator("*", mode="before")
    @classmethod
    def _unset(cls, value: Any, info: Any) -> Any:
        """null stands for a key that was not sent."""
        default = cls.model_fields[info.field_name].default
        return default if value is None and not cls.model_fields[info.field_name].is_required() else value

    def order(self) -> dict[str, Any]:
        """What the engine needs, as JSON takes it."""
        form = self.constraint or self.response_format.constraint()
        return {
            "messages": [message.plain for message in self.messages],
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_completion_tokens or self.max_tokens,
            "seed": secrets.randbits(63) if self.seed is None else self.seed % 2**64,
            "stop": self.stop,
            "constraint": form.model_dump(mode="json") if form else None,
            "top_logprobs": self.top_logprobs if self.logprobs else None,
        }


def parse(body: bytes) -> ChatRequest:
    """Raises StudioError that says what is wrong with it."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise StudioError("api.json", reason=str(error).rstrip(".")[:200] + ".", field="body") from error
    if not isinstance(content, dict):
        raise StudioError("value.keys", field="body")
    for name, harmless in _WITHOUT.items():
        value = content.get(name)
        if value is not None and value not in harmless:
            raise StudioError("api.unsupported", name=name, field=name)
    _only_text(content.get("messages"))
    try:
        asked = ChatRequest.model_validate(content)
    except ValidationError as error:
        raise errors.of_values(error) from error
    if asked.response_format.type == "json_schema" and asked.response_format.json_schema is None:
        raise StudioError("value.missing", field="response_format.json_schema")
    if asked.top_logprobs and not asked.logprobs:
        raise StudioError.of([Problem(code="api.top_logprobs", field="top_logprobs")])
    return asked


def _only_text(messages: Any) -> None:
    """Raises StudioError for images, sounds and the like, and for halves of characters, which no tokenizer takes."""
    for at, message in enumerate(messages if isinstance(messages, list) else []):
        content = message.get("content") if isinstance(message, dict) else None
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        for part in [part for part in parts if isinstance(part, dict)]:
            kind, text = part.get("type"), part.get("text")
            if kind != "text":
                raise StudioError("api.no_text", kind=str(kind)[:40], field=f"messages.{at}.content")
            if isinstance(text, str) and not _whole(text):
                raise StudioError("api.surrogate", field=f"messages.{at}.content")


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
