"""Chats as a messenger exports them: who answers, what the messenger itself wrote, and where a conversation ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data.sources.chat_system import is_own
from tests.data.sources.helpers import notes, opened, rows

CHAT = "12/03/24, 09:00 - Messages are encrypted.\n" + "".join(
    f"{day}/03/24, 09:0{n} - Ana: Is lamp {n} there?\n{day}/03/24, 10:0{n} - Shop: Yes,\nin {n}.\n"
    for day in (12, 13)
    for n in (1, 2)
)


def said(tmp_path: Path, *lines: str, left: tuple[str, ...] = ()) -> list[list[str]]:
    """The texts of each conversation, those of Shop in capitals."""
    source = opened(tmp_path / "a.txt", "\n".join(lines), records="Shop")
    assert notes(source) == set(left)
    return [
        [each["content"].upper() if each["role"] == "assistant" else each["content"] for each in row["messages"]]
        for row in rows(source)
    ]


def test_a_chat_asks_who_answers(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"chat between (Ana, Shop|Shop, Ana).*--records") as asked:
        opened(tmp_path / "a.txt", CHAT)
    assert set(asked.value.problems[0].args["choices"]) == {"Ana", "Shop"}
    source = opened(tmp_path / "a.txt", CHAT, records="Shop")
    assert notes(source) == {"data.chat_system"}
    first, _ = rows(source)
    assert first["messages"][:2] == [
        {"role": "user", "content": "Is lamp 1 there?"},
        {"role": "assistant", "content": "Yes,\nin 1."},
    ]
    assert len(first["messages"]) == 4


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Messages and calls are end-to-end encrypted. No one outside can read them.",
            "<Media omitted>",
            "image omitted",
        ),
        "Los mensajes y las llamadas están cifrados de extremo a extremo. Nadie fuera de este chat puede leerlos.",
        *("<Multimedia omitido>", "imagen omitida", "Missed voice call", "Missed video call at 10:03", "null"),
        *("Llamada perdida", "Llamada de voz perdida", "This message was deleted", "Se eliminó este mensaje"),
        *("Ana created group “Shop”", "Ana creó el grupo «Taller»", "You created this group", "\u200eAna joined"),
        *("Ana changed the subject to “Lamps”", "IMG-0042.jpg (file attached)", "<attached: 0042-PHOTO.jpg>"),
    ],
)
def test_messages_of_the_messenger_are_known(text: str) -> None:
    assert is_own(text)


@pytest.mark.parametrize(
    "text",
    [
        *("Is this chat encrypted?", "You changed the subject, again", "I missed a call, was it you?", "an image"),
        *("Se me perdió la llamada", "She created the group photos", "The document was omitted from your mail"),
    ],
)
def test_words_of_people_are_kept(text: str) -> None:
    assert not is_own(text)


def test_what_the_messenger_wrote_is_left_out_and_said(tmp_path: Path) -> None:
    content = (
        "[01/04/2026, 09:00:00] Shop: Messages and calls are end-to-end encrypted.",
        "[01/04/2026, 09:01:00] Ana: <Media omitted>\nIs this lamp there?",
        "[01/04/2026, 09:02:00] Shop: Missed voice call",
        "[01/04/2026, 09:03:00] Shop: yes \u200e<This message was edited>",
        "[01/04/2026, 09:04:00] Ana: Thanks",
        "[01/04/2026, 09:05:00] Shop: Bye",
    )
    assert said(tmp_path, *content, left=("data.chat_system",)) == [["Is this lamp there?", "YES", "Thanks", "BYE"]]
    (note,) = opened(tmp_path / "a.txt", "\n".join(content), records="Shop").facts.notes
    assert note.args["count"] == 3 and note.args["places"] == "1, 2, 4"


def test_silence_and_not_midnight_ends_a_conversation(tmp_path: Path) -> None:
    assert said(
        tmp_path,
        *("4/13/26, 11:56 PM - Ana: late?", "4/14/26, 12:01 AM - Shop: yes", "4/14/26, 12:02 AM - Ana: thanks"),
        *("4/14/26, 9:00 AM - Ana: and today?", "4/15/26, 10:00 AM - Shop: too", "4/16/26, 9:00 AM - Shop: an offer"),
        *("4/16/26, 5:00 PM - Ana: no", "4/16/26, 5:01 PM - Shop: ok"),
        left=("data.chat_unasked",),
    ) == [["late?", "YES", "thanks"], ["and today?", "TOO"], ["no", "OK"]]


def chat(*turns: tuple[str, str]) -> list[str]:
    return [f"01/04/2026, {9 + n // 60:02d}:{n % 60:02d} - {name}: {text}" for n, (name, text) in enumerate(turns)]


def test_each_asker_has_conversations_of_their_own(tmp_path: Path) -> None:
    pair: Any = [(("Lena", f"l{n}"), ("Shop", f"a{n}"), ("Pablo", f"p{n}"), ("Shop", f"b{n}")) for n in range(3)]
    turns = [turn for four in pair for turn in four]
    mixed = [("Lena", "both"), ("Pablo", "ask"), ("Shop", "one")]
    assert said(tmp_path, *chat(*turns, *mixed)) == [
        ["both\nask", "ONE"],
        ["l0", "A0", "l1", "A1", "l2", "A2"],
        ["p0", "B0", "p1", "B1", "p2", "B2"],
    ]


def test_people_who_talk_to_each_other_share_a_conversation(tmp_path: Path) -> None:
    turns = [(name, f"{name[0]}{n}") for n in range(3) for name in ("Lena", "Pablo", "Shop")]
    assert said(tmp_path, *chat(*turns)) == [["L0\nP0", "S0", "L1\nP1", "S1", "L2\nP2", "S2"]]
