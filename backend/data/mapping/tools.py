"""Tools and tool calls in OpenAI's format, from the forms that files have them in."""

from __future__ import annotations

import json
from typing import Any

from backend.data.mapping.values import Unusable, parsed
from backend.data.row_errors import json_type


def tools_of(value: Any) -> list[dict[str, Any]]:
    """`[{"type": "function", "function": {"name": ...}}]` from a list of these or of bare functions, or from its JSON. Raises
    Unusable."""
    value = parsed(value)
    if value in (None, "", [], {}):
        return []
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise Unusable("data.tools_shape", json_type(value))
    return [_tool(item) for item in value]


def calls_of(value: Any) -> list[dict[str, Any]]:
    """`[{"id": ..., "type": "function", "function": {"name": ..., "arguments": "{...}"}}]` from a list of calls, one call, or
    their JSON; arguments may be objects or JSON in a text. Raises Unusable."""
    value = parsed(value)
    if value in (None, "", []):
        return []
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise Unusable("data.tool_calls_shape", json_type(value))
    return [_call(item) for item in value]


def _tool(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise Unusable("data.tools_shape", json_type(item))
    inside = item.get("function")
    function: dict[str, Any] = inside if isinstance(inside, dict) else item
    if not isinstance(function.get("name"), str) or not function["name"]:
        raise Unusable("data.tools_shape", "no name")
    if item.get("type", "function") != "function" and function is not item:
        raise Unusable("data.tools_shape", item["type"])
    inner = {key: value for key, value in function.items() if key != "type" or function is not item}
    return {"type": "function", "function": inner}


def _call(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise Unusable("data.tool_calls_shape", json_type(item))
    inside = item.get("function")
    function: dict[str, Any] = inside if isinstance(inside, dict) else item
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise Unusable("data.tool_calls_shape", "no name")
    inner = {"name": name, "arguments": _arguments(function.get("arguments", function.get("parameters")))}
    found: dict[str, Any] = {"type": "function", "function": inner}
    return {"id": item["id"], **found} if isinstance(item.get("id"), str) else found


def _arguments(value: Any) -> str:
    """A text of JSON stays as it was written, since a model learns its letters."""
    if value is None or value == "":
        return "{}"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        try:
            read = json.loads(value)
        except ValueError:
            raise Unusable("data.tool_calls_shape", "arguments") from None
        if isinstance(read, dict):
            return value
    raise Unusable("data.tool_calls_shape", "arguments")
