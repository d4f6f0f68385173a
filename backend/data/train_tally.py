"""What the facts of a dataset count of its train split, a row at a time."""

from __future__ import annotations

from typing import Any


def _of_tools(message: dict[str, Any]) -> bool:
    return bool(message.get("tool_calls")) or message["role"] == "tool"


class Mean:
    """The mean of numbers, one decimal."""

    def __init__(self) -> None:
        self.count, self.sum = 0, 0

    def add(self, value: int) -> None:
        self.count += 1
        self.sum += value

    def add_all(self, count: int, total: int) -> None:
        """So many numbers at once, by their sum."""
        self.count += count
        self.sum += total

    @property
    def rounded(self) -> float:
        return round(self.sum / max(1, self.count), 1)


class TrainTally:
    """What is counted of the train split."""

    def __init__(self) -> None:
        self.rationales, self.rejected = Mean(), Mean()
        self.known = self.right = self.tools = 0
        self.alone, self.learned_chars, self.prompt_chars, self.longest = 0, 0, 0, 0
        self.conversations: dict[str, tuple[int, int]] = {}
        """Of each: the characters of its longest row, and how many rows are so long, as one that is there twice has."""

    def add_alone(self, count: int, answers: int, prompts: int, longest: int) -> None:
        """So many rows that have nothing but an input and an answer, by the sums of their characters, and those of the longest
        row."""
        self.longest = max(self.longest, longest)
        self.alone += count
        self.learned_chars += answers
        self.prompt_chars += prompts

    def add(self, row: Any, answer: str | None, prompt: int) -> None:
        """`row`: a Row; `prompt`: its characters."""
        self.tools += bool(row.tools or row.tool_calls or any(_of_tools(message) for message in row.context))
        if answer is None:
            return
        if row.rationale:
            self.rationales.add(len(row.rationale))
        if row.rejected is not None:
            self.rejected.add(len(row.rejected))
        if answer and row.gold is not None:
            self.known += 1
            self.right += answer.strip() == row.gold.strip()
        self.learned_chars += len(answer)
        self.longest = max(self.longest, prompt + len(answer))
        if row.conversation:
            self.prompt_chars -= len(answer)
            longest, copies = self.conversations.get(row.conversation, (0, 0))
            length = prompt + len(answer)
            if length >= longest:
                self.conversations[row.conversation] = length, copies + 1 if length == longest else 1
        else:
            self.alone += 1
            self.prompt_chars += prompt

    def facts(self) -> dict[str, Any]:
        sequences = self.alone + sum(copies for _, copies in self.conversations.values())
        prompts = self.prompt_chars + sum(longest * copies for longest, copies in self.conversations.values())
        return {
            "rationales": self.rationales.count,
            "rationale_chars": self.rationales.rounded,
            "pairs": self.rejected.count,
            "rejected_chars": self.rejected.rounded,
            "known": self.known,
            "known_right": self.right,
            "tool_rows": self.tools,
            "sequences": sequences,
            "sequence_prompt_chars": round(prompts / max(1, sequences), 1),
            "sequence_answer_chars": round(self.learned_chars / max(1, sequences), 1),
            "longest_chars": self.longest,
        }
