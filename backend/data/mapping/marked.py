"""Conversations that were written into one text, with marks of who speaks, taken apart."""

from __future__ import annotations

import re

_CHATML = re.compile(r"<\|im_start\|>(\w+)\n?(.*?)(?:<\|im_end\|>|\Z)", re.DOTALL)
_HASHES = re.compile(r"### ?(Human|User|Instruction|Input|Assistant|Response|System):", re.IGNORECASE)
_NAMES = re.compile(r"^(Human|User|Assistant|AI|Bot):", re.MULTILINE)
_LLAMA = re.compile(r"(?:<s>)?\s*\[INST\](.*?)\[/INST\](.*?)(?=</s>|(?:<s>\s*)?\[INST\]|\Z)(?:</s>)?", re.DOTALL)
_SYSTEM = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>", re.DOTALL)
_ROLES = {
    "human": "user",
    "instruction": "user",
    "input": "user",
    "response": "assistant",
    "ai": "assistant",
    "bot": "assistant",
}


def marked_turns(text: str) -> list[dict[str, str]]:
    """Role and content of each turn; empty where the text has no such marks."""
    if "<|im_start|>" in text:
        return [{"role": role, "content": said.strip()} for role, said in _CHATML.findall(text) if said.strip()]
    if "[/INST]" in text:
        return [turn for asked, said in _LLAMA.findall(text) for turn in _llama(asked, said)]
    marks = _HASHES if _HASHES.match(text.lstrip()) else _NAMES
    parts = marks.split(text.strip())
    if len(parts) < 3 or parts[0].strip():
        return []
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return [{"role": _ROLES.get(who.lower(), who.lower()), "content": said.strip()} for who, said in pairs]


def _llama(asked: str, said: str) -> list[dict[str, str]]:
    system = _SYSTEM.match(asked)
    rest = asked[system.end() :] if system else asked
    turns = [{"role": "system", "content": system[1].strip()}] if system else []
    answered = [{"role": "assistant", "content": said.strip()}] if said.strip() else []
    return [*turns, {"role": "user", "content": rest.strip()}, *answered]
