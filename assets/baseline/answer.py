"""Answers texts as the quick baseline of SLMOps Studio did. Needs Python 3.10 and nothing else.

python answer.py "a text"
python answer.py < texts.txt        one text a line, one answer a line
"""

import json
import math
import re
import sys
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

WORD = re.compile(r"\w+", re.UNICODE)


def words(text):
    """Words and pairs of words; a text without words is its own."""
    found = WORD.findall(text.lower()) or [text]
    return found + [f"{one} {two}" for one, two in pairwise(found)]


def character_runs(text):
    """Runs of 2 to 4 characters, a space around the text."""
    padded = f" {' '.join(text.casefold().split())} "
    return [padded[at : at + size] for size in (2, 3, 4) for at in range(max(1, len(padded) - size + 1))]


class Baseline:
    """`Baseline().answer("a text")`; the folder holds `model.json`."""

    def __init__(self, folder=Path(__file__).parent):
        self.model = json.loads((Path(folder) / "model.json").read_text("utf-8"))
        self.kinds, start = [], 0
        for split, kept in zip((words, character_runs), self.model["features"], strict=False):
            places = {term: start + at for at, term in enumerate(kept["terms"])}
            self.kinds.append((split, places, kept["idf"], start))
            start += len(places)
        self.rows = defaultdict(list)
        for row, (text, _answer) in enumerate(self.model.get("examples", [])):
            for at, value in self.features(text).items():
                self.rows[at].append((row, value))

    def features(self, text):
        """TF-IDF of both kinds, each of length 1: place -> value."""
        found = {}
        for split, places, idf, start in self.kinds:
            counts = Counter(places[term] for term in split(text[: self.model["chars"]]) if term in places)
            values = {at: (1 + math.log(n)) * idf[at - start] for at, n in counts.items()}
            length = math.sqrt(sum(value * value for value in values.values())) or 1.0
            found.update((at, value / length) for at, value in values.items())
        return found

    def answer(self, text):
        found = self.features(text)
        if "examples" in self.model:
            alike = [0.0] * len(self.model["examples"])
            for at, value in found.items():
                for row, other in self.rows.get(at, ()):
                    alike[row] += value * other
            return self.model["examples"][max(range(len(alike)), key=alike.__getitem__)][1]
        labels = self.model["labels"]
        scores = [
            bias + sum(weights[at] * value for at, value in found.items())
            for bias, weights in zip(self.model["intercept"], self.model["weights"], strict=True)
        ]
        if len(labels) <= 2:  # one line of weights says which of two; one label needs none
            return labels[int(bool(scores) and scores[0] > 0)]
        return labels[max(range(len(scores)), key=scores.__getitem__)]


if __name__ == "__main__":
    baseline = Baseline()
    for line in sys.argv[1:] or map(str.rstrip, sys.stdin):
        sys.stdout.write(f"{baseline.answer(line)}\n")
