"""Conversations, choices and preferences in odd shapes, made in code. Each says what is right for it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.data.strange_tables import (
    ASKED,
    COUNT,
    SOME,
    SORTS,
    THINGS,
    TOWNS,
    Strange,
    answer,
    question,
    sort_of,
    table,
    text,
)


def lines(rows: Iterable[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def talk(at: int) -> list[dict[str, Any]]:
    return [{"role": "user", "content": question(at)}, {"role": "assistant", "content": answer(at)}]


def conversations() -> list[Strange]:
    """Lists of messages, in lists, in cells and in rows of their own."""
    every = range(COUNT)
    nested = lines({"id": at, "data": {"conversation": talk(at)}} for at in every)
    parts = lines(
        {
            "contents": [
                {"role": "user", "parts": [{"text": question(at)}]},
                {"role": "model", "parts": [{"text": answer(at)}]},
            ]
        }
        for at in every
    )
    system = lines(
        {
            "systemInstruction": {"role": "system", "parts": [{"text": "You keep the store."}]},
            "contents": [
                {"role": "user", "parts": [{"text": question(at)}]},
                {"role": "model", "parts": [{"text": answer(at)}]},
            ],
        }
        for at in every
    )
    cells = table(("id", "messages"), ((at, json.dumps(talk(at))) for at in every)).encode()
    python = table(("id", "messages"), ((at, str(talk(at))) for at in every)).encode()
    tool = lines({"messages": [talk(at)[0], {"role": "tool", "content": "shelf 3"}, talk(at)[1]]} for at in every)
    unordered = [(at, "user", question(at)) for at in every] + [(at, "assistant", answer(at)) for at in every]
    apart = table(("conversation_id", "role", "content"), unordered).encode()
    numbered = [row for at in every for row in ((at, 2, "assistant", answer(at)), (at, 1, "user", question(at)))]
    turned = table(("conversation_id", "turn", "role", "content"), numbered).encode()
    chat = [(f"0{1 + at % 9}/04/2026 10:{at:02d}", ("Ana", "Taller Ruiz")[at % 2], text(at)) for at in range(40)]
    mail = lines(
        {
            "subject": f"Re: {question(at)}",
            "body": f"{answer(at)}\n\n> {question(at)}\n> -- \n> Ana",
            "label": sort_of(at),
        }
        for at in every
    )
    return [
        Strange("nested.jsonl", nested, ASKED, count=COUNT),
        Strange("gemini.jsonl", parts, ASKED, count=COUNT),
        Strange(
            "vertex.jsonl", system, tuple(((*asked, "You keep the store."), said) for asked, said in ASKED), count=COUNT
        ),
        Strange("cells.csv", cells, ASKED, count=COUNT),
        Strange("python.csv", python, ASKED, count=COUNT),
        Strange("tool.jsonl", tool, stops=("tool",)),
        Strange("apart.csv", apart, stops=("scattered",)),
        Strange("turned.csv", turned, ASKED, count=COUNT),
        Strange("whatsapp.csv", table(("date", "author", "message"), chat).encode(), stops=("author", "message")),
        Strange("mail.jsonl", mail, (((question(0), answer(0)), "bad"),), SORTS, COUNT),
    ]


def marked() -> list[Strange]:
    """Conversations in one text, with marks of who speaks."""
    every = range(COUNT)
    hashes = lines({"text": f"### Human: {question(at)}### Assistant: {answer(at)}"} for at in every)
    brackets = lines({"text": f"<s>[INST] {question(at)} [/INST] {answer(at)} </s>"} for at in every)
    chatml = lines(
        {
            "text": f"<|im_start|>system\nYou keep the store.<|im_end|>\n<|im_start|>user\n{question(at)}<|im_end|>\n"
            f"<|im_start|>assistant\n{answer(at)}<|im_end|>\n"
        }
        for at in every
    )
    return [
        Strange("hashes.jsonl", hashes, ASKED, count=COUNT, never=("###",)),
        Strange("brackets.jsonl", brackets, ASKED, count=COUNT, never=("INST",)),
        Strange("chatml.jsonl", chatml, ASKED, count=COUNT, never=("im_start",)),
    ]


def nested() -> list[Strange]:
    """Values that are objects and lists."""
    every = range(COUNT)
    made = lines({"input": text(at), "output": {"thing": THINGS[at % 10], "lot": at}} for at in every)
    called = lines({"text": text(at), "label": {"id": at % 3, "name": sort_of(at)}} for at in every)
    flags = lines(
        {"text": text(at), "labels": {"urgent": at % 2, "late": at // 2 % 2, "dear": at // 3 % 2}} for at in every
    )
    words = lines({"tokens": text(at).split(), "tags": [0] * len(text(at).split())} for at in every)
    bare = lines({"dialog": [question(at), answer(at)]} for at in every)
    logs = lines(
        {"request": {"messages": talk(at)[:1]}, "response": {"choices": [{"message": talk(at)[1]}]}} for at in every
    )
    test = [
        {
            "id": str(at),
            "answerKey": "AB"[at % 2],
            "question": {
                "stem": question(at),
                "choices": [{"label": "A", "text": "a key"}, {"label": "B", "text": f"lot {at}"}],
            },
        }
        for at in every
    ]
    return [
        Strange("made.jsonl", made, (((text(0),), '{"thing": "lantern", "lot": 0}'),), frozenset(), COUNT),
        Strange("called.jsonl", called, SOME, SORTS, COUNT),
        Strange(
            "flags.jsonl", flags, (((text(1),), "urgent"), ((text(0),), "none"), ((text(3),), "urgent, late, dear"))
        ),
        Strange("words.jsonl", words, stops=("tokens",)),
        Strange("bare.jsonl", bare, stops=("dialog",)),
        Strange("logs.jsonl", logs, says=("no answer",)),
        Strange("test.jsonl", lines(test), (((question(1), "lot 1", "a key"), "B"),), frozenset("AB"), COUNT),
    ]


def choices() -> list[Strange]:
    """Numbers of choices, counted from 0 or from 1."""
    every = range(COUNT)

    def options(at: int) -> list[str]:
        return [f"a {THINGS[(at + step * 3) % 10]} of {TOWNS[step]}" for step in range(4)]

    def listed(first: int, numbers: int = 4) -> bytes:
        return lines({"question": question(at), "choices": options(at), "answer": first + at % numbers} for at in every)

    header = ("question", "option1", "option2", "option3", "option4", "answer")
    columns = table(header, ((question(at), *options(at), 1 + at % 4) for at in every)).encode()
    pairs = lines(
        {"goal": question(at), "sol1": options(at)[0], "sol2": options(at)[1], "label": at % 2} for at in every
    )
    sums = lines(
        {"question": f"What is {at} + 2?", "choices": [str(at + 1), str(at + 2), str(at + 3)], "answer": at + 2}
        for at in every
    )
    return [
        Strange("zero.jsonl", listed(0), (((question(1), options(1)[3]), "B"),), frozenset("ABCD")),
        Strange(
            "one.jsonl", listed(1), (((question(1),), "B"), ((question(3),), "D")), frozenset("ABCD"), says=("from 1",)
        ),
        Strange("either.jsonl", listed(1, 3), stops=("from 0 or from 1",)),
        Strange("columns.csv", columns, (((question(2),), "C"),), frozenset("ABCD"), says=("from 1",)),
        Strange("pairs.jsonl", pairs, (((question(1),), "B"),), frozenset("AB")),
        Strange("sums.jsonl", sums, ((("What is 5 + 2?",), "B"),), count=COUNT),
    ]


def preferences() -> list[Strange]:
    """Better and worse answers: never the worse one is learned."""
    every = range(COUNT)
    worse = "I would rather not say."
    lists = lines(
        {"prompt": talk(at)[:1], "chosen": talk(at)[1:], "rejected": [{"role": "assistant", "content": worse}]}
        for at in every
    )
    whole = lines(
        {"chosen": talk(at), "rejected": [talk(at)[0], {"role": "assistant", "content": worse}]} for at in every
    )
    kto = lines(
        {"prompt": question(at), "completion": answer(at) if at % 2 else worse, "label": bool(at % 2)} for at in every
    )
    votes = lines(
        {
            "prompt": question(at),
            "response_a": (answer(at), worse)[at % 2],
            "response_b": (worse, answer(at))[at % 2],
            "winner": ("model_a", "model_b")[at % 2],
        }
        for at in every
    )
    return [
        Strange("lists.jsonl", lists, ASKED, count=COUNT, never=("rather not",)),
        Strange("whole.jsonl", whole, ASKED, count=COUNT, never=("rather not",)),
        Strange("kto.jsonl", kto, (((question(17),), answer(17)),), count=COUNT // 2, never=("rather not",)),
        Strange("votes.jsonl", votes, stops=("response_a", "winner")),
    ]


def documents() -> list[Strange]:
    """JSON that is broken or has more than rows."""
    every = range(COUNT)
    squad = {
        "version": "v2.0",
        "data": [
            {
                "title": "Alder",
                "paragraphs": [
                    {
                        "context": f"{text(at)}. It is on shelf {at + 3}.",
                        "qas": [
                            {
                                "id": f"a{at}",
                                "question": question(at),
                                "answers": [{"text": f"shelf {at + 3}", "answer_start": 5}],
                                "is_impossible": False,
                            },
                            {"id": f"b{at}", "question": f"Who sold lot {at}?", "answers": [], "is_impossible": True},
                        ],
                    }
                    for at in every
                ],
            }
        ],
    }
    gap = "".join(f'{{"text": "{text(at)}", "score": {"NaN" if at == 3 else 0.5 + at}}}\n' for at in every)
    comma = "[" + "".join(f'{{"text": "{text(at)}", "label": "{sort_of(at)}"}},\n' for at in every) + "]"
    answers = lines({"question": question(at), "answers": [answer(at), "Nowhere."]} for at in every)
    hotpot = lines(
        {
            "question": question(at),
            "context": [[TOWNS[at % 9], [text(at), "It rained."]], ["Store", [answer(at)]]],
            "answer": answer(at),
        }
        for at in every
    )
    return [
        Strange(
            "squad.json",
            json.dumps(squad).encode(),
            (((question(4), text(4)), "shelf 7"), (("Who sold lot 4?",), None)),
            count=72,
        ),
        Strange("gap.jsonl", gap.encode(), (((text(0),), "0.5"), ((text(3),), None)), count=COUNT),
        Strange("comma.json", comma.encode(), stops=("37",)),
        Strange("answers.jsonl", answers, ASKED, count=COUNT, says=("several", "first")),
        Strange(
            "hotpot.jsonl",
            hotpot,
            tuple(((*asked, text(at)), said) for at, (asked, said) in zip((0, 17, 35), ASKED, strict=True)),
            count=COUNT,
        ),
    ]


def records() -> list[Strange]:
    return [*conversations(), *marked(), *nested(), *choices(), *preferences(), *documents()]
