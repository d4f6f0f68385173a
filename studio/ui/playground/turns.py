"""A message with its answers side by side. Everything that was asked or said is shown as plain text."""

from __future__ import annotations

import time
import unicodedata

import streamlit as st

from studio.ui.playground.chats import Answer, Chat, Turn
from studio.ui.playground.controls import name_of
from studio.ui.playground.correction import correction_box
from studio.ui.playground.model_loader import FORCEABLE, TRANSIENT
from studio.ui.playground.shared import loader
from studio.ui.shared.formatting import count_text, decimal, duration, escape_markdown, message_markdown
from studio.ui.shared.i18n import _, ngettext

CUT, ASKED_CUT = 4_000, 1_000
_ISOLATE, _END = "\u2067", "\u2069"


def turn_view(chat: Chat, at: int) -> None:
    turn = chat.turns[at]
    with st.container(horizontal=True, gap="small", key=f"pg_asked_{at}"):
        st.markdown(":material/person:", width="content")
        with st.container(gap="xsmall", width="stretch"):
            plain(turn.input, f"input_{at}", ASKED_CUT)
            if turn.expected is not None:
                st.caption(_("Expected: {answer}").format(answer=escape_markdown(turn.expected[:ASKED_CUT])))
    for column, answer in zip(st.columns(len(turn.answers), gap="small"), turn.answers.values(), strict=True):
        with column, st.container(border=True, height="stretch", gap="xsmall", key=f"pg_answer_{at}_{answer.model}"):
            _answer_view(turn, answer, f"{at}_{answer.model}")
            if at == len(chat.turns) - 1:
                correction_box(turn, answer)


def _answer_view(turn: Turn, answer: Answer, key: str) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"**{escape_markdown(name_of(answer.model))}**", width="content")
        if turn.expected is not None and answer.end and answer.text.strip() == turn.expected.strip():
            st.badge(_("As expected"), icon=":material/check:", color="green")
    text = answer.text
    if text:
        plain(text, f"answer_{key}", tail=not answer.done)
    elif not answer.done:
        st.markdown(f":shimmer[{_thinking(answer)}]")
    elif answer.end:
        st.caption(_("Empty answer."))
    if answer.error and answer.error.code in FORCEABLE | TRANSIENT:
        st.caption(_("Not asked yet: model not loaded."))
    elif answer.error:
        why = " ".join(problem.sentence(_) for problem in answer.error.problems)
        st.error(message_markdown(why), icon=":material/error:")
    figures = figures_line(answer)
    if figures:
        st.caption(figures)


def plain(text: str, key: str, length: int = CUT, tail: bool = False) -> None:
    """Words of others as they are, no markup; of long ones the beginning (the end while they are being written), until
    somebody wants all."""
    shown = text
    if len(text) > length and not st.session_state.get(f"pg_all_{key}"):
        shown = f"…{text[-length:]}" if tail else f"{text[:length]}…"
    right = right_to_left(shown)
    st.text(
        _isolated(shown) if right else shown,
        width="stretch",
        text_alignment="right" if right else "left",
    )
    if len(text) > length and not tail:
        st.toggle(
            _("Show all {count} characters").format(count=count_text(len(text))),
            key=f"pg_all_{key}",
        )


def right_to_left(text: str) -> bool:
    """The first letter says it, as in a browser's `dir=auto`."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def _isolated(text: str) -> str:
    """Each line with the marks that make it read from the right, full stops included."""
    return "\n".join(f"{_ISOLATE}{line.rstrip()}{_END}" for line in text.split("\n"))


def figures_line(answer: Answer) -> str:
    """`42 tokens · 96.4 tokens/s · first token after 41 ms · complete`; less while it is written or when it broke off."""
    end = answer.end
    if end is None:
        parts = [_("about {tokens}").format(tokens=_tokens(len(answer.pieces)))] if answer.pieces else []
        return " · ".join([*parts, _("stopped")] if answer.stopped else parts)
    parts = [_tokens(end.completion_tokens)]
    if end.decode_tokens_per_s:
        parts.append(_("{n} tokens/s").format(n=decimal(end.decode_tokens_per_s, 1, 1)))
    if end.ttft_ms is not None:
        parts.append(_("first token after {n} ms").format(n=count_text(end.ttft_ms)))
    parts.append({"stop": _("finished"), "length": _("cut off at the maximum length")}.get(end.finish or "", ""))
    return " · ".join(part for part in parts if part)


def _tokens(count: int) -> str:
    return ngettext("{n} token", "{n} tokens", count)


def _thinking(answer: Answer) -> str:
    load = loader().find(answer.model)
    if load and not load.ended:
        return _("Waiting for the model")
    return _("Reading, {time}").format(time=duration(time.monotonic() - answer.begun))
