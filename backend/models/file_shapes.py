"""What the files of a model may hold: types and ranges, looked at before anything is computed from them.

The bounds lie far beyond every model that exists, and far below what breaks a page or fills the memory.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from backend.core.errors import StudioError

_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2"), 1),
}
"""Bytes of an element: https://github.com/huggingface/safetensors#format"""
_MAX_NAME = 500

Size = Annotated[int, Field(ge=1, le=10**8)]
Epsilon = Annotated[float, Field(ge=0, le=1)] | None
Positive = Annotated[float, Field(gt=0, le=1e15)] | None
Text = Annotated[str, Field(max_length=_MAX_NAME)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())


class ConfigShape(_Shape):
    """What is read of a config.json; the rest is the architecture's own business."""

    model_type: Text = ""
    num_hidden_layers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    hidden_size: Annotated[int, Field(ge=1, le=10**6)] | None = None
    vocab_size: Size | None = None
    intermediate_size: Size | list[Size] | None = None
    max_position_embeddings: Annotated[int, Field(ge=1, le=10**9)] | None = None
    rms_norm_eps: Epsilon = None
    layer_norm_eps: Epsilon = None
    layer_norm_epsilon: Epsilon = None
    rope_theta: Positive = None
    rope_parameters: dict[str, Any] | None = None
    n_positions: Annotated[int, Field(ge=1, le=10**9)] | None = None
    tie_word_embeddings: bool | None = None
    quantization_config: dict[str, Any] | None = None
    quantization: dict[str, Any] | None = None
    text_config: dict[str, Any] | None = None


class _Token(_Shape):
    id: Annotated[int, Field(ge=0, le=10**8)]
    content: str


class _TokenizerModel(_Shape):
    vocab: dict[str, Annotated[int, Field(ge=0, le=10**8)]] | list[Any] = {}


class TokenizerShape(_Shape):
    """What is read of a tokenizer.json."""

    model: _TokenizerModel
    added_tokens: list[_Token] = []


class IndexShape(_Shape):
    """model.safetensors.index.json: tensor -> file."""

    weight_map: dict[str, Text]


class _Tensor(_Shape):
    dtype: Text
    shape: Annotated[list[Annotated[int, Field(ge=0, le=10**10)]], Field(max_length=8)]
    data_offsets: Annotated[list[Annotated[int, Field(ge=0, le=10**15)]], Field(min_length=2, max_length=2)]


_HEADER = TypeAdapter(Annotated[dict[str, _Tensor], Field(max_length=100_000)])
S = TypeVar("S", bound=BaseModel)


def checked(path: Path, name: str, content: dict[str, Any], shape: type[S]) -> S:
    """`content` of the file `name` in `path` as `shape`. Raises StudioError naming the first key that is wrong."""
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        raise _wrong(path, name, error) from None


def check_header(file: Path, header: dict[str, Any]) -> int:
    """Bytes of the data that the header of a safetensors file announces. Raises StudioError for entries of a wrong type, out
    of range, whose size is not that of their shape, or that overlap."""
    try:
        tensors = _HEADER.validate_python(header)
    except ValidationError as error:
        raise _wrong(file.parent, file.name, error) from None
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        begin, stop = tensor.data_offsets
        size = _BYTES.get(tensor.dtype)
        if begin != end or stop < begin or (size is not None and stop - begin != size * prod(tensor.shape)):
            raise StudioError("models.tensor", path=file.parent, file=file.name, tensor=name[:_MAX_NAME])
        end = stop
    return end


def _wrong(path: Path, name: str, error: ValidationError) -> StudioError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    key = ".".join(map(str, first["loc"]))[:_MAX_NAME] or "–"
    return StudioError("models.value", path=path, file=name, key=key, reason=first["msg"])
