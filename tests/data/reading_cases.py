"""Files in the shapes of public data sets and exports, made in code; all texts are invented. Each says what a row of it is."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

ITEMS = [
    "lantern",
    "saddle",
    "teapot",
    "anorak",
    "ukulele",
    "compass",
    "blanket",
    "rucksack",
    "hammer",
    "mirror",
    "clock",
    "kite",
]
TOWNS = ["Alder", "Brook", "Cairn", "Dunmore", "Elsing", "Farrow", "Gilden", "Harlow", "Ilston", "Jarrow", "Kelby"]
COUNT = 36


@dataclass(frozen=True)
class Expected:
    """A row: texts that the prompt holds, and the answer."""

    prompt: tuple[str, ...]
    answer: str


@dataclass(frozen=True)
class ReadingCase:
    """`rows`: some of those that have to come out; `labels`: all labels, empty for free text; `never`: texts that no prompt and
    no answer may hold."""

    name: str
    content: bytes
    rows: tuple[Expected, ...]
    labels: frozenset[str] = frozenset()
    never: tuple[str, ...] = field(default=())


def cases() -> list[ReadingCase]:
    return [make() for make in (*LABELLED, *TWO_TEXTS, *WRITTEN, *CHATS)]


def _review(at: int, sort: int) -> str:
    forms = ("The {0} fell apart, {1} sent no other", "Lovely {0}, thank you {1}", "An ordinary {0}, it came from {1}")
    return forms[sort % 3].format(ITEMS[at % 12], TOWNS[at * 3 % 11]) + f", ref {4100 + 37 * at}"


def _passage(at: int) -> str:
    return f"The oldest {ITEMS[at % 12]} of {TOWNS[at % 11]} was made in {1700 + 13 * at}. It weighs {at + 5} pounds."


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]], encoding: str = "utf-8", **layout: Any) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", **layout)
    writer.writerows([header, *rows] if header else rows)
    return out.getvalue().encode(encoding)


def _lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _some(rows: Sequence[Any], make: Callable[[Any], tuple[tuple[str, ...], str]]) -> tuple[Expected, ...]:
    return tuple(Expected(*make(rows[at])) for at in (0, len(rows) // 2, len(rows) - 1))


def sms() -> ReadingCase:
    rows = [
        (("ham", "spam")[at % 3 == 0], f'say "hi" to {ITEMS[at % 12]} "of {TOWNS[at % 11]} {at}') for at in range(COUNT)
    ]
    content = "".join(f"{label}\t{text}\n" for label, text in rows).encode()
    return ReadingCase("sms.tsv", content, _some(rows, lambda row: ((row[1],), row[0])), frozenset({"ham", "spam"}))


def spam_with_empty_columns() -> ReadingCase:
    rows = [
        (("ham", "spam")[at % 3 == 0], f"the {ITEMS[at % 12]} costs £{4100 + at} in {TOWNS[at % 11]}")
        for at in range(COUNT)
    ]
    content = _table(["v1", "v2", "", "", ""], [(*row, "", "", "") for row in rows], "latin-1")
    return ReadingCase("spam.csv", content, _some(rows, lambda row: ((row[1],), row[0])), frozenset({"ham", "spam"}))


def annotation_export() -> ReadingCase:
    rows = [
        (at, 1, f"2025-03-04T10:{at:02}:00Z", 900 + at, 3 + at / 7, f"S{at % 3}", _review(at, at))
        for at in range(COUNT)
    ]
    content = _table(["annotation_id", "annotator", "created_at", "id", "lead_time", "sentiment", "text"], rows)
    expected = _some(rows, lambda row: ((row[6],), row[5]))
    return ReadingCase("labelstudio.csv", content, expected, frozenset({"S0", "S1", "S2"}), ("2025-03-04",))


def spanish_labels() -> ReadingCase:
    rows = [
        (str(10**17 + at), f"usuario_{at}", f"{_review(at, at)} ¡qué día!", ("N", "P", "NONE")[at % 3])
        for at in range(COUNT)
    ]
    content = _table(["tweetid", "usuario", "contenido", "polaridad"], rows)
    return ReadingCase("tass.csv", content, _some(rows, lambda row: ((row[2],), row[3])), frozenset({"N", "NONE", "P"}))


def two_sentences() -> ReadingCase:
    rows = [
        {
            "annotator_labels": ["neutral"],
            "gold_label": ("entailment", "neutral", "contradiction")[at % 3],
            "pairID": f"{at}.jpg#0r1",
            "sentence1": _passage(at),
            "sentence1_parse": f"(ROOT (S {_passage(at)}))",
            "sentence2": f"The {ITEMS[at % 12]} {('is old', 'is for sale', 'is new')[at % 3]} ({at}).",
        }
        for at in range(COUNT)
    ]
    expected = _some(rows, lambda row: ((row["sentence1"], row["sentence2"]), row["gold_label"]))
    labels = frozenset({"entailment", "neutral", "contradiction"})
    return ReadingCase("snli.jsonl", _lines(rows), expected, labels, ("(ROOT", ".jpg#"))


def two_questions() -> ReadingCase:
    rows = [
        (
            at,
            2 * at + 1,
            2 * at + 2,
            f"How old is {ITEMS[at % 12]} {at}?",
            f"Who made {ITEMS[at * 5 % 12]} {at}?",
            at % 2,
        )
        for at in range(COUNT)
    ]
    content = _table(["id", "qid1", "qid2", "question1", "question2", "is_duplicate"], rows, delimiter="\t")
    return ReadingCase(
        "qqp.tsv", content, _some(rows, lambda row: ((row[3], row[4]), str(row[5]))), frozenset({"0", "1"})
    )


def yes_or_no() -> ReadingCase:
    rows = [
        {"question": f"is it older than {at}", "title": "x", "answer": at % 3 > 0, "passage": _passage(at)}
        for at in range(COUNT)
    ]
    expected = _some(rows, lambda row: ((row["question"], row["passage"]), str(row["answer"]).lower()))
    return ReadingCase("boolq.jsonl", _lines(rows), expected, frozenset({"false", "true"}))


def instructions_with_the_whole_prompt() -> ReadingCase:
    rows = [
        {
            "instruction": f"Write about the {ITEMS[at % 12]} of {TOWNS[at % 11]}.",
            "input": f"It costs {at} pence.",
            "output": f"A {ITEMS[at % 12]} was seen by {at + 3} people.",
            "text": f"Below is an instruction.\n\n### Response:\nA {ITEMS[at % 12]} was seen by {at + 3} people.",
        }
        for at in range(COUNT)
    ]
    expected = _some(rows, lambda row: ((row["instruction"], row["input"]), row["output"]))
    return ReadingCase("alpaca.jsonl", _lines(rows), expected, never=("### Response",))


def answer_before_its_question() -> ReadingCase:
    rows = [
        {
            "answer": f"SELECT COUNT(*) FROM t_{at}",
            "question": f"How many {ITEMS[at % 12]}s are in {TOWNS[at % 11]}?",
            "context": f"CREATE TABLE t_{at} (town VARCHAR)",
        }
        for at in range(COUNT)
    ]
    expected = _some(rows, lambda row: ((row["question"], row["context"]), row["answer"]))
    return ReadingCase("sql.json", json.dumps(rows).encode(), expected)


def summary_before_its_dialogue() -> ReadingCase:
    rows = [
        {
            "id": str(13_810_000 + at),
            "summary": f"{TOWNS[at % 11]} lends the {ITEMS[at % 12]} to Pia on day {at}.",
            "dialogue": f"Pia: Hi, still got the {ITEMS[at % 12]}?\n{TOWNS[at % 11]}: yes!\nPia: for day {at} please :)",
        }
        for at in range(COUNT)
    ]
    expected = _some(rows, lambda row: ((row["dialogue"],), row["summary"]))
    return ReadingCase("samsum.json", json.dumps(rows).encode(), expected, never=("13810",))


def columns_of_a_chat() -> ReadingCase:
    rows = [
        (f"Kept by section {at}.", f"May I bring my {ITEMS[at % 12]} {at}?", "You are the porter.")
        for at in range(COUNT)
    ]
    return ReadingCase(
        "porter.csv", _table(["assistant", "user", "system"], rows), _some(rows, lambda row: ((row[1], row[2]), row[0]))
    )


def dialogues_with_a_better_answer() -> ReadingCase:
    heads = [f"\n\nHuman: How do I wash {ITEMS[at % 12]} number {at}?\n\nAssistant:" for at in range(COUNT)]
    rows = [{"chosen": f"{head} Wait {at} minutes.", "rejected": f"{head} Fool {at}."} for at, head in enumerate(heads)]
    expected = tuple(Expected((f"number {at}?",), f"Wait {at} minutes.") for at in (0, 17, 35))
    return ReadingCase("hh.jsonl", _lines(rows), expected, never=("Fool",))


def answers_that_were_wanted_or_not() -> ReadingCase:
    rows = [
        {
            "prompt": f"May I return {ITEMS[at % 12]} {at}?",
            "completion": ("Go away", "Of course")[at % 2] + f" {at}.",
            "label": at % 2 > 0,
        }
        for at in range(COUNT)
    ]
    expected = tuple(Expected((str(rows[at]["prompt"]),), str(rows[at]["completion"])) for at in (1, 17, 35))
    return ReadingCase("kto.jsonl", _lines(rows), expected, never=("Go away",))


def conversations_with_a_system_text() -> ReadingCase:
    rows = [
        {
            "conversations": [
                {"from": "human", "value": f"Have you a {ITEMS[at % 12]}?"},
                {"from": "gpt", "value": f"Yes, code {at}."},
                {"from": "human", "value": f"Keep it for {TOWNS[at % 11]}."},
                {"from": "gpt", "value": f"Kept under {at + 500}."},
            ],
            "system": f"You work in {TOWNS[at % 11]}.",
        }
        for at in range(COUNT)
    ]
    earlier = ("You work in Alder.", "Have you a lantern?", "Yes, code 0.", "Keep it for Alder.")
    expected = (
        Expected(earlier, "Kept under 500."),
        Expected(("You work in Alder.", "Have you a lantern?"), "Yes, code 0."),
    )
    return ReadingCase("sharegpt.json", json.dumps(rows).encode(), expected)


def fine_tuning_file_with_a_mark() -> ReadingCase:
    rows = [
        {
            "messages": [
                {"role": "system", "content": "You are the clerk."},
                {"role": "user", "content": f"Did anybody find {ITEMS[at % 12]} {at}?"},
                {"role": "assistant", "content": f"Yes, it lies on shelf {at + 500}."},
            ]
        }
        for at in range(COUNT)
    ]
    expected = (Expected(("You are the clerk.", "Did anybody find lantern 0?"), "Yes, it lies on shelf 500."),)
    return ReadingCase("azure.jsonl", b"\xef\xbb\xbf" + _lines(rows).replace(b"\n", b"\r\n"), expected)


LABELLED = (sms, spam_with_empty_columns, annotation_export, spanish_labels)
TWO_TEXTS = (two_sentences, two_questions, yes_or_no)
WRITTEN = (instructions_with_the_whole_prompt, answer_before_its_question, summary_before_its_dialogue)
CHATS = (
    *(columns_of_a_chat, dialogues_with_a_better_answer, answers_that_were_wanted_or_not),
    *(conversations_with_a_system_text, fine_tuning_file_with_a_mark),
)
