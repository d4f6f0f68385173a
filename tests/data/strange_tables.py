"""Tables as people keep them, made in code: swapped, ragged, merged, half empty. Each says what is right for it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

THINGS = ("lantern", "saddle", "teapot", "anorak", "ukulele", "compass", "blanket", "rucksack", "hammer", "mirror")
TOWNS = ("Alder", "Brook", "Cairn", "Dunmore", "Elsing", "Farrow", "Gilden", "Harlow", "Ilston")
COUNT = 36


@dataclass(frozen=True)
class Strange:
    """`rows`: (texts in the prompt, answer) of some rows; `labels`: all labels; `count`: rows of all splits; `never`: texts
    that no prompt or answer holds; `says`: words of a warning; `stops`: words of the question or refusal, empty where it is
    read."""

    name: str
    content: bytes
    rows: tuple[tuple[tuple[str, ...], str | None], ...] = ()
    labels: frozenset[str] | None = None
    count: int = 0
    never: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)


def text(at: int) -> str:
    forms = ("The {0} from {1} fell apart", "Lovely {0}, thank you {1}", "An ordinary {0}, it came from {1}")
    return forms[at % 3].format(THINGS[at % 10], TOWNS[at * 3 % 9]) + f", ref {4100 + 37 * at}"


def question(at: int) -> str:
    return f"Where is the {THINGS[at % 10]} of {TOWNS[at % 9]}, lot {4100 + 37 * at}?"


def answer(at: int) -> str:
    return f"On shelf {at + 3} of the store in {TOWNS[at * 2 % 9]}."


def sort_of(at: int) -> str:
    return ("bad", "good", "fair")[at % 3]


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], mark: str = ",") -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", delimiter=mark)
    writer.writerows([header, *rows] if header else rows)
    return out.getvalue()


def labelled(header: Sequence[str] = ("text", "label"), mark: str = ",") -> str:
    return table(header, ((text(at), sort_of(at)) for at in range(COUNT)), mark)


LISTS = ("bad, late", "good", "late", "good, early", "bad, early", "dear", "dear, late", "good, late")
SORTS = frozenset(("bad", "good", "fair"))
SOME = tuple(((text(at),), sort_of(at)) for at in (0, 17, 35))
ASKED = tuple(((question(at),), answer(at)) for at in (0, 17, 35))


def names() -> list[Strange]:
    """What columns are called, and where they stand."""
    pairs = [(answer(at), question(at)) for at in range(COUNT)]
    spanish = table(("Número", "Descripción", "Categoría"), ((at, text(at), sort_of(at)) for at in range(COUNT)), ";")
    codes = table(("text", "label"), ((text(at), f"usr_{at * 7919 % 100003:05d}") for at in range(COUNT)))
    places = ((text(at), f"https://shop.example/{at}", ("en", "es")[at % 2], sort_of(at)) for at in range(COUNT))
    reviews = ((text(at), text(at + 50), sort_of(at)) for at in range(COUNT))
    return [
        Strange("swapped.csv", table(("answer", "question"), pairs).encode(), ASKED, count=COUNT),
        Strange("first.csv", table(("label", "text"), ((b, a) for a, b in _pairs())).encode(), SOME, SORTS, COUNT),
        Strange("spanish.csv", spanish.encode("cp1252"), SOME, SORTS, COUNT, says=("1252",)),
        Strange("places.csv", table(("text", "url", "lang", "label"), places).encode(), SOME, SORTS, COUNT, ("https",)),
        Strange("codes.csv", codes.encode(), stops=("text", "label")),
        Strange("twice.csv", table(("text", "text", "label"), reviews).encode(), stops=("text", "text 2")),
        Strange("bare.tsv", table((), _pairs(), "\t").encode(), SOME, SORTS, COUNT, says=("no header",)),
        Strange("bare.csv", table((), _pairs()).encode(), SOME, SORTS, COUNT, says=("no header",)),
        Strange(
            "emoji.csv",
            table(("text", "label"), ((text(at), "😀😡"[at % 2]) for at in range(COUNT))).encode(),
            (((text(0),), "😀"), ((text(35),), "😡")),
            frozenset("😀😡"),
            COUNT,
        ),
        Strange(
            "yesno.csv",
            table(("texto", "urgente"), ((text(at), ("sí", "no")[at % 2]) for at in range(COUNT))).encode(),
            (((text(0),), "sí"),),
            frozenset(("sí", "no")),
            COUNT,
        ),
    ]


def _pairs() -> list[tuple[str, str]]:
    return [(text(at), sort_of(at)) for at in range(COUNT)]


def values() -> list[Strange]:
    """What stands in the cells."""
    floats = table(("id", "text", "label"), ((at, text(at), "" if at == 7 else f"{at % 3}.0") for at in range(COUNT)))
    lines = table(("text", "label"), ((f"{text(at)}\n\nYours,\n{at}", sort_of(at)) for at in range(COUNT)))
    thousands = table(("text", "label"), ((text(at), ("1,000", "2,500", "10,000")[at % 3]) for at in range(COUNT)))
    several = table(("text", "labels"), ((text(at), LISTS[at % 8]) for at in range(COUNT)))
    scores = table(("text", "score"), ((text(at), round(0.013 + at * 0.0271, 4)) for at in range(COUNT)))
    unknown = table(("text", "zeta"), ((text(at), round(0.013 + at * 0.0271, 4)) for at in range(COUNT)))
    same = table(("text", "label"), ((text(at), "good") for at in range(COUNT)))
    echo = table(("prompt", "response"), ((question(at), question(at)) for at in range(COUNT)))
    seldom = table(("question", "answer"), ((question(at), answer(at) if at % 10 == 0 else "") for at in range(200)))
    return [
        Strange("floats.csv", floats.encode(), (((text(0),), "0"), ((text(7),), None)), frozenset("012"), COUNT),
        Strange("lines.csv", lines.encode(), (((f"{text(0)}\n\nYours,\n0",), "bad"),), SORTS, COUNT),
        Strange(
            "thousands.csv",
            thousands.encode(),
            (((text(0),), "1,000"),),
            frozenset(("1,000", "2,500", "10,000")),
            COUNT,
        ),
        Strange("several.csv", several.encode(), (((text(0),), "bad, late"), ((text(1),), "good")), frozenset(), COUNT),
        Strange("scores.csv", scores.encode(), (((text(0),), "0.013"),), frozenset(), COUNT, says=("number",)),
        Strange("unknown.csv", unknown.encode(), stops=("text",)),
        Strange("same.csv", same.encode(), says=("same", "one class")),
        Strange("echo.csv", echo.encode(), count=COUNT, says=("the same as", "repeat", "equal")),
        Strange(
            "seldom.csv",
            seldom.encode(),
            (((question(0),), answer(0)), ((question(1),), None)),
            count=200,
            says=("180",),
        ),
    ]


def layouts() -> list[Strange]:
    """Where the rows stand, and what stands between them."""
    whole = labelled()
    head, *rest = whole.splitlines()
    middle = "\n".join([head, *rest[:18], head, *rest[18:]]) + "\n"
    total = whole + f"Total,{COUNT}\n"
    marked = "\n".join([head, *rest[:18], "\ufeffMarked in the middle,good", *rest[18:]]) + "\n"
    ragged = "\n".join([head, *rest[:5], rest[5] + ",extra", *rest[6:]]) + "\n"
    short = "\n".join([head, *rest[:5], "only one cell", *rest[6:]]) + "\n"
    mixed = b"\n".join(
        [f'"{text(at)} café",{sort_of(at)}'.encode(("utf-8", "cp1252")[at == 20]) for at in range(COUNT)]
    )
    hidden = table(("text", "", "label", ""), ((text(at), "", sort_of(at), "") for at in range(COUNT)))
    merged = ",Customer,,Team,\n" + table(
        ("no", "text", "town", "label", "agent"),
        ((at, text(at), TOWNS[at % 9], sort_of(at), f"agent {at % 4}") for at in range(COUNT)),
    )
    one = "comment\n" + "\n".join(text(at) for at in range(COUNT)) + "\n"
    page = "<html><table><tr><td>text</td><td>label</td></tr></table></html>"
    return [
        Strange("middle.csv", middle.encode(), stops=("header", "row 20", "20")),
        Strange("total.csv", total.encode(), says=("total",)),
        Strange("marked.csv", marked.encode(), ((("Marked in the middle",), "good"),), SORTS, COUNT + 1, ("\ufeff",)),
        Strange("ragged.csv", ragged.encode(), stops=("7",)),
        Strange("short.csv", short.encode(), stops=("7",)),
        Strange("mixed.csv", b"text,label\n" + mixed + b"\n", stops=("22",)),
        Strange("wide.csv", whole.encode("utf-16-le"), SOME, SORTS, COUNT, says=("UTF-16",)),
        Strange("hidden.csv", hidden.encode(), SOME, SORTS, COUNT),
        Strange("merged.csv", merged.encode(), SOME, SORTS, COUNT, says=("header",)),
        Strange("one.csv", one.encode(), (((text(0),), None),), count=COUNT, says=("answer",)),
        Strange(
            "two.csv",
            b"question,answer\nWhere is it?,In the attic.\nWho has it?,Nobody has.\n",
            stops=("Only 2",),
        ),
        Strange("page.xls", page.encode(), stops=("web page",)),
        Strange(
            "parts.zip", zipped({"train.csv": whole, "test.csv": labelled(("body", "label"))}), stops=("body", "text")
        ),
    ]


def zipped(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def exports() -> list[Strange]:
    """What other programs write, and what other trainers read."""
    every = range(COUNT)
    desk = ((f"T-{at}", f"a{at}@shop.example", text(at), ("Billing", "Tech")[at % 2], sort_of(at)) for at in every)
    asked = ((question(at), f"A) the {THINGS[at % 10]} B) a key C) lot {at}", "ABC"[at % 3]) for at in every)
    judged = ((question(at), f"It might be on shelf {at}.", answer(at)) for at in every)
    cells = ((text(at), json.dumps({"thing": THINGS[at % 10], "lot": at})) for at in every)
    liked = ((question(at), answer(at), ("up", "down")[at % 2]) for at in every)
    poll = ((f"2026/01/0{1 + at % 9} 10:00", 20 + at, text(at), ("Yes", "No", "Maybe")[at % 3]) for at in every)
    dates = ((f"0{1 + at % 9}/0{1 + at % 7}/2026", text(at), sort_of(at)) for at in every)
    american = ((f"0{1 + at % 9}/{10 + at % 19}/2026", text(at), sort_of(at)) for at in every)
    three = labelled().replace("text,label", "question_en,label")
    by_time = {"split_by": "time"}
    return [
        Strange(
            "desk.csv",
            table(("Ticket", "E-mail", "Text", "Group", "Priority"), desk).encode(),
            stops=("Group", "Priority"),
        ),
        Strange(
            "written.csv",
            table(("question", "options", "answer"), asked).encode(),
            (((question(4), "lot 4"), "B"),),
            frozenset("ABC"),
        ),
        Strange(
            "judged.csv", table(("prompt", "model_output", "reference"), judged).encode(), ASKED, says=("model_output",)
        ),
        Strange(
            "cells.csv",
            table(("text", "output"), cells).encode(),
            (((text(0),), '{"thing": "lantern", "lot": 0}'),),
            frozenset(),
        ),
        Strange(
            "liked.csv", table(("user_message", "bot_response", "feedback"), liked).encode(), stops=("bot_response",)
        ),
        Strange(
            "poll.csv",
            table(("Timestamp", "Age", "What do you think?", "Would you come again?"), poll).encode(),
            (((text(0),), "Yes"),),
            frozenset(("Yes", "No", "Maybe")),
            never=("2026/",),
        ),
        Strange(
            "dates.csv",
            table(("date", "text", "label"), dates).encode(),
            SOME,
            SORTS,
            COUNT,
            params=by_time,
            says=("day",),
        ),
        Strange(
            "american.csv", table(("date", "text", "label"), american).encode(), SOME, SORTS, COUNT, params=by_time
        ),
        Strange(
            "fasttext.txt", "".join(f"__label__{sort_of(at)} {text(at)}\n" for at in every).encode(), SOME, SORTS, COUNT
        ),
        Strange("pipes.txt", "".join(f"{text(at)}|{sort_of(at)}\n" for at in every).encode(), SOME, SORTS, COUNT),
        Strange(
            "pairs.txt", "".join(f"Q: {question(at)}\nA: {answer(at)}\n\n" for at in every).encode(), ASKED, count=COUNT
        ),
        Strange("old_mac.csv", labelled(mark=";").replace("\n", "\r").encode(), SOME, SORTS, COUNT),
        Strange("tongue.csv", three.encode(), SOME, SORTS, COUNT),
    ]


def tables() -> list[Strange]:
    return [*names(), *values(), *layouts(), *exports()]
