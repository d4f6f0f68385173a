"""New inputs from known ones: what a model is asked for, and how its reply is read.

Self-instruct (Wang et al. 2023) shows examples and asks for more; paraphrase and evolve (Xu et al. 2023, deeper and wider by
turns) start from one text.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from backend.data.dataset import Message, Row

Method = Literal["self_instruct", "paraphrase", "evol_instruct"]
MAX_SEED_CHARS = 2_000
"""A longer example is shown by its beginning."""
MAX_REQUEST_FACTOR = 4
"""Times as many requests as a class would need if all that it gives were new."""
_INSTRUCTIONS = {
    "self_instruct": "Write {count} new texts of the same kind. They must differ from the examples and from each other.",
    "paraphrase": "Say this text in {count} different ways. Keep its meaning.",
    "deeper": "Write {count} harder versions of this text: more specific, with more details or conditions.",
    "wider": "Write {count} texts of the same kind about other, less usual things.",
}
_LANGUAGE = "Use the language of the text."
_NUMBERED_LIST = "Reply with a numbered list of {count} lines and nothing else."
_JSON_LIST = "Reply with a JSON list of {count} strings and nothing else."
"""For texts of several lines; small models do better with a numbered list."""
_ITEM = re.compile(r"^\s*(?:\(?\d{1,3}[.):]|[-*•–])\s+(.+?)\s*$", re.MULTILINE)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_KEYS = ("input", "text", "question", "sentence", "prompt", "instruction", "content")
_QUOTES = {'"': '"', "'": "'", "“": "”", "«": "»", "`": "`"}


class Request(NamedTuple):
    """One question for new inputs; `label`: the class that they should have, "" where there is none."""

    messages: list[Message]
    label: str


class SelfInstruct:
    """Makes the requests, the same ones for the same seed. `seeds`: rows to start from; with `balance` the class that has
    the fewest new rows is asked for next."""

    def __init__(
        self, seeds: Sequence[Row], method: Method, count: int, shown: int, balance: bool, about: str, seed: int
    ) -> None:
        self.method, self.count, self.shown, self.about = method, count, shown, about.strip()
        self.asked: Counter[str] = Counter()
        self._reply_format = _JSON_LIST if any("\n" in row.input for row in seeds) else _NUMBERED_LIST
        self._random = random.Random(seed)
        self._groups: dict[str, list[Row]] = defaultdict(list)
        for row in seeds:
            self._groups[(row.output or "") if balance else ""].append(row)
        for members in self._groups.values():
            self._random.shuffle(members)

    def requests(self, count: int, new: Counter[str]) -> Iterator[Request]:
        """The next `count` requests; `new`: rows that each class has got so far. A class that gives little is not asked for
        without end: it counts as having at least a quarter of what it was asked for."""
        expected = {name: max(new[name], self.asked[name] * self.count / MAX_REQUEST_FACTOR) for name in self._groups}
        for _ in range(count):
            label = min(self._groups, key=lambda name: (expected[name], name))
            expected[label] += self.count
            yield Request([{"role": "user", "content": self._prompt_text(label)}], label)
            self.asked[label] += 1

    def _prompt_text(self, label: str) -> str:
        members, turn = self._groups[label], self.asked[label]
        if self.method == "self_instruct":
            chosen = self._random.sample(members, min(self.shown, len(members)))
            kind = f" of the class “{label}”" if label else ""
            lines = [f"{at}. {_shown(row)}" for at, row in enumerate(chosen, 1)]
            parts = [
                f"Examples of texts{kind}:",
                *lines,
                "",
                _INSTRUCTIONS["self_instruct"].replace("{count}", str(self.count)),
            ]
        else:
            way = "paraphrase" if self.method == "paraphrase" else ("deeper", "wider")[turn // len(members) % 2]
            parts = [
                _INSTRUCTIONS[way].replace("{count}", str(self.count)),
                "",
                f"Text: {_shown(members[turn % len(members)])}",
                "",
            ]
            parts += [f"The texts belong to the class “{label}”."] if label else []
        request = [self.about, _LANGUAGE, self._reply_format.replace("{count}", str(self.count))]
        return "\n".join([*parts, *filter(None, request)])


def _shown(row: Row) -> str:
    return row.input[:MAX_SEED_CHARS]


def parse_texts(reply: str, truncated: bool = False) -> list[str]:
    """The texts in a reply: a JSON list of strings or objects, also one that is cut off or wrapped in words; else numbered or
    bulleted lines, without the last one of a reply that was `truncated`. Empty when there is nothing of the kind."""
    said = reply.rpartition("</think>")[2]
    items = _json_items(said) or _truncated_items(said)
    if not items:
        items = _ITEM.findall(said)[: -1 if truncated else None]
    return [text for item in items if (text := clean(item))]


def clean(text: str) -> str:
    """Without the quotation marks around it, and without characters that no tokenizer takes."""
    text = text.encode("utf-8", "ignore").decode().replace("\0", "").strip().rstrip(",").rstrip()
    while len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _json_items(said: str) -> list[str]:
    """Of the first list in the reply that holds texts."""
    decoder = json.JSONDecoder()
    for start in [found.start() for found in re.finditer(r"\[", said)][:20]:
        try:
            value, _end = decoder.raw_decode(said, start)
        except (ValueError, RecursionError):
            continue
        items = [text for each in value if (text := _text(each))]
        if items:
            return items
    return []


def _text(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        texts = {key.casefold(): value for key, value in item.items() if isinstance(value, str)}
        return next((texts[key] for key in _KEYS if key in texts), next(iter(texts.values()), ""))
    return ""


def _truncated_items(said: str) -> list[str]:
    """The whole strings of a list that has no end."""
    start = re.search(r'\[\s*"', said)
    if not start:
        return []
    found = []
    for match in _STRING.finditer(said, start.start()):
        try:
            found.append(str(json.loads(match.group())))
        except ValueError:
            continue
    return found
