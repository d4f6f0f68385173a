"""The languages that a model was mostly trained on, as its card says them; nothing is guessed where the card is silent."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---\s*$", re.S | re.M)
_CODE = re.compile(r"[a-z]{2,3}")


def languages_of(folder: Path) -> list[str]:
    """ISO 639 codes of `language` in the front matter of README.md, such as `["en", "es"]`; [] where it names none."""
    readme = folder / "README.md"
    found = _FRONT.match(readme.read_text("utf-8", "replace")) if readme.is_file() else None
    if not found:
        return []
    try:
        told = yaml.safe_load(found[1])
    except yaml.YAMLError:
        return []
    named = told.get("language") if isinstance(told, dict) else None
    codes = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    # YAML reads the code of Norwegian, `no`, as false
    codes = ["no" if code is False else code for code in codes]
    return [code.lower() for code in codes if isinstance(code, str) and _CODE.fullmatch(code.lower())]
