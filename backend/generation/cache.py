"""Answers that were paid for once: one SQLite file per teacher and sampling, one row per prompt.

A row is written as soon as its answer is there, so a crash loses at most the requests in flight, and a second run of the
same questions is free. The folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backend.data.dataset import Message


def content_key(content: Any) -> str:
    """SHA-256 of JSON content, the same in every run."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class AnswerCache:
    """`teacher`: everything that changes an answer apart from the prompt (weights or address, sampling)."""

    def __init__(self, folder: Path, teacher: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{content_key(teacher)}.sqlite"
        self._db = sqlite3.connect(self.file, timeout=15, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("create table if not exists answer (prompt text primary key, text text not null)")
        self._db.execute("create table if not exists sure (prompt text primary key, confidence real not null)")
        self._db.execute("create table if not exists cut (prompt text primary key, cut integer not null)")
        self._db.execute(
            "create table if not exists ending (prompt text primary key, reasoning text not null, finish text not null)"
        )

    def find(self, prompts: Iterable[str]) -> dict[str, str]:
        """Prompt key -> answer, for those that are known."""
        found = {}
        for prompt in prompts:
            row = self._db.execute("select text from answer where prompt = ?", (prompt,)).fetchone()
            if row:
                found[prompt] = row[0]
        return found

    def confidence(self, prompt: str) -> float | None:
        """How sure the teacher was of a known answer; None when it did not say."""
        row = self._db.execute("select confidence from sure where prompt = ?", (prompt,)).fetchone()
        return float(row[0]) if row else None

    def truncated(self, prompt: str) -> bool:
        """Whether a known answer was cut off before its end; those that were kept before this was known are not."""
        row = self._db.execute("select cut from cut where prompt = ?", (prompt,)).fetchone()
        return bool(row and row[0])

    def ending(self, prompt: str) -> tuple[str, str]:
        """(reasoning, why it ended) of a known answer; "" for what the teacher did not say."""
        row = self._db.execute("select reasoning, finish from ending where prompt = ?", (prompt,)).fetchone()
        return (row[0], row[1]) if row else ("", "")

    def keep(
        self,
        prompt: str,
        text: str,
        confidence: float | None = None,
        truncated: bool = False,
        reasoning: str = "",
        finish: str = "",
    ) -> None:
        if reasoning or finish:
            self._db.execute("insert or replace into ending values (?, ?, ?)", (prompt, reasoning, finish))
        if confidence is not None:  # first: an answer that is there has its confidence
            self._db.execute("insert or replace into sure values (?, ?)", (prompt, confidence))
        self._db.execute("insert or replace into cut values (?, ?)", (prompt, truncated))
        self._db.execute("insert or replace into answer values (?, ?)", (prompt, text))

    def close(self) -> None:
        self._db.close()


def prompt_key(messages: list[Message]) -> str:
    return content_key(messages)
