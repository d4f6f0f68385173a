"""Near copies within a split, and what is known of a measuring split from another one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from backend.data.dataset import Row
from backend.data.gates.base import MEASURING, ByRow, Found, FoundRow, Gate, Hits, Options, prompt_text
from backend.data.gates.label_names import label_key
from backend.data.gates.near_pairs import copies_between, near_copies
from backend.data.gates.same_rows import row_key

_PARAGRAPH_CHARS = 200
_SHARED_BY = 0.1
"""A paragraph that this share of the rows has is an instruction, not a context of its own."""


class NearDuplicates(ByRow):
    """Rows whose input is nearly that of an earlier one of the same split, with the same label. Exact copies have their own
    gate and are left out. With free answers only the inputs are compared."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self.labels = options.template.answer == "label"
        self._texts: list[str] = []
        self._groups: list[str] = []
        self._numbers: list[int] = []
        self._known: set[int] = set()
        self._seen = 0

    def see(self, split: str, row: Row) -> None:
        prompt = prompt_text(row)
        key = hash((split, row_key(row)))
        if key not in self._known:
            self._known.add(key)
            self._numbers.append(self._seen)
            self._texts.append(prompt)
            self._groups.append(f"{split}\x1f{label_key(row.output or '') if self.labels else ''}")
        self._seen += 1

    def found(self) -> Found | None:
        hits = Hits()
        for one, other, alike in near_copies(self._texts, self._groups, self.options.threshold, self.options.tick):
            split, row = self.options.look(self._numbers[one])
            earlier = self.options.look(self._numbers[other])[1]
            hits.add(split, row.id, row.input, detail=f"{alike:.2f}", other=earlier.id, other_text=earlier.input)
        return self.gate.finding(
            "gates.near_duplicates", hits, self._seen, {"threshold": f"{self.options.threshold:g}"}
        )


class Leaks(ByRow):
    """Rows of validation and test that training rows give away: the same input, a near copy, a context or a conversation that
    both have; and rows of the test that validation gives away."""

    def __init__(self, gate: Gate, options: Options) -> None:
        self.gate, self.options = gate, options
        self._texts: dict[str, dict[str, list[int]]] = {split: {} for split in ("train", *MEASURING)}
        self._contexts: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._seen = 0

    def see(self, split: str, row: Row) -> None:
        number, self._seen = self._seen, self._seen + 1
        if split not in self._texts:
            return
        self._texts[split].setdefault(row_key(row), []).append(number)
        for context in _contexts(row):
            self._contexts[split][context].append(number)

    def found(self) -> Found | None:
        hits, measured = Hits(), 0
        kinds = dict.fromkeys(("same", "near", "context"), 0)
        for split, sources in ((MEASURING[0], ("train",)), (MEASURING[1], ("train", MEASURING[0]))):
            measured += sum(map(len, self._texts[split].values()))
            known: set[int] = set()
            for source in sources:
                for kind, number, other, detail in self._between(split, source):
                    if number not in known:
                        known.add(number)
                        kinds[kind] += 1
                        row, given = self.options.look(number)[1], self.options.look(other)[1]
                        hits.add(split, row.id, row.input, detail=detail, other=given.id, other_text=given.input)
        return self.gate.finding("gates.leaks", hits, measured, kinds)

    def _between(self, split: str, source: str) -> Iterator[tuple[str, int, int, str]]:
        """(kind, row of `split`, row of `source`, detail)."""
        mine, theirs = self._texts[split], self._texts[source]
        for key in (key for key in mine if key in theirs):
            yield from (("same", number, theirs[key][0], "same") for number in mine[key])
        for context, numbers in self._own_contexts(split).items():
            if context in self._contexts[source]:
                other = self._contexts[source][context][0]
                yield from (("context", number, other, "context") for number in numbers)
        texts, others = [key for key in mine if key not in theirs], list(theirs)
        for one, other, alike in copies_between(texts, others, self.options.threshold, self.options.tick):
            for number in mine[texts[one]]:
                yield "near", number, theirs[others[other]][0], f"{alike:.2f}"

    def _own_contexts(self, split: str) -> dict[int, list[int]]:
        """Those that are not an instruction which many rows have."""
        most = max(10, _SHARED_BY * self._seen)
        totals: dict[int, int] = defaultdict(int)
        for by_context in self._contexts.values():
            for context, numbers in by_context.items():
                totals[context] += len(numbers)
        return {context: numbers for context, numbers in self._contexts[split].items() if totals[context] <= most}

    def training_rows(self) -> list[FoundRow]:
        """The rows that give one away, of train or validation: what goes so that the measuring rows stay."""
        gone: dict[int, FoundRow] = {}
        for split, source in ((MEASURING[1], "train"), (MEASURING[1], MEASURING[0]), (MEASURING[0], "train")):
            mine, theirs = self._texts[split], self._texts[source]
            given = {number for key in mine if key in theirs for number in theirs[key]}
            for context in self._own_contexts(split):
                given.update(self._contexts[source].get(context, ()))
            texts = [key for key in theirs if key not in mine]
            for one, _other, _alike in copies_between(texts, list(mine), self.options.threshold, self.options.tick):
                given.update(theirs[texts[one]])
            for number in given:
                gone.setdefault(number, FoundRow(source, self.options.look(number)[1].id))
        return [gone[number] for number in sorted(gone)]


def _contexts(row: Row) -> list[int]:
    """Hashes of what rows of one source share: a conversation, earlier turns, long paragraphs."""
    found = [hash(("conversation", row.conversation))] if row.conversation else []
    texts = [
        row.input,
        *(str(message.get("content") or "") for message in row.context if message.get("role") != "system"),
    ]
    for text in texts:
        if len(text) >= _PARAGRAPH_CHARS:
            parts = (part.strip() for part in text.split("\n"))
            found += [hash(("paragraph", " ".join(part.split()))) for part in parts if len(part) >= _PARAGRAPH_CHARS]
    return list(dict.fromkeys(found))
