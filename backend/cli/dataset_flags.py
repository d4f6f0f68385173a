"""The options of `slmops datasets import`: one for each parameter of the dataset stage, made from their declaration."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from backend.api.dataset_form import DatasetParams

SHORT: dict[str, tuple[str, ...]] = {
    "data_schema": ("--schema",),
    "languages": ("--language",),
    "keep_columns": ("--keep",),
    "validation_source": ("--validation-file",),
    "test_source": ("--test-file",),
    "on_bad_row": ("--on-bad-row", "--bad-rows"),
}
"""Fields whose option is not simply their name."""
_TOGETHER = "input_columns"
"""The first --input is the input column, all others are these."""


def flags() -> dict[str, tuple[str, ...]]:
    """Field -> its options, the usual one first. The source is the command's argument."""
    named = {name: SHORT.get(name, (f"--{name.replace('_', '-')}",)) for name in DatasetParams.model_fields}
    return {name: found for name, found in named.items() if name != "source"} | {_TOGETHER: named["input"]}


def written(params: dict[str, Any]) -> str:
    """Parameters as options: `--schema nli --input premise --input hypothesis`."""
    parts = []
    for name, value in params.items():
        for each in value if isinstance(value, list) else [value]:
            text = str(each)
            parts.append(f"{flags()[name][0]} {chr(34) + text + chr(34) if ' ' in text else text}")
    return " ".join(parts)


def with_params(command: Callable[..., None]) -> Callable[..., None]:
    """`command` with an option for every parameter; it gets those that were given as `given`."""
    own = [each for name, each in inspect.signature(command, eval_str=True).parameters.items() if name != "given"]
    options = [_option(name, info) for name, info in DatasetParams.model_fields.items() if _asked(name)]

    @wraps(command)
    def made(**values: Any) -> None:
        given = {each.name: values.pop(each.name) for each in options}
        command(given=_fields({name: value for name, value in given.items() if value is not None}), **values)

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (own[0], *options, *own[1:])]
    made.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    made.__annotations__ = {each.name: each.annotation for each in parameters}
    return made


def _asked(name: str) -> bool:
    return name not in ("source", _TOGETHER)


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    if columns := given.pop("input", None):
        given["input"], *more = columns
        given |= {_TOGETHER: more} if more else {}
    return given


def _option(name: str, info: FieldInfo) -> inspect.Parameter:
    kind: Any = str
    if name == "input" or get_origin(info.annotation) is list:
        kind = list[str]
    elif info.annotation in (int, float, bool):
        kind = info.annotation
    names = list(flags()[name])
    if kind is bool:
        names = [f"{names[0]}/--no-{names[0][2:]}"]
    option = typer.Option(*names, help=_help(name, info), show_default=False)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option]
    )


def _help(name: str, info: FieldInfo) -> str:
    parts = [info.description or ""]
    if name == "input":
        parts.append("Repeat it for more input columns.")
    elif get_origin(info.annotation) is list:
        parts.append("Repeatable.")
    values = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
    if values:
        parts.append(f"One of: {', '.join(values)}.")
    default = info.get_default()
    if default not in ("", None, []) and not isinstance(default, (bool, list)):
        parts.append(f"Default: {default}.")
    return " ".join(parts)
