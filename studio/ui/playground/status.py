"""Whether a model is in memory: its state in one line, with what can be done about it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Literal

import streamlit as st

from backend.core.errors import StudioError
from studio.nav import RUN
from studio.ui.playground.chats import Chat
from studio.ui.playground.model_loader import FORCEABLE, TRANSIENT
from studio.ui.playground.shared import keep_chosen, loader, served
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import duration, escape_markdown, format_size, message_markdown, stage_label
from studio.ui.shared.i18n import _

Code = Literal["absent", "waiting", "loading", "ready", "answering", "failed"]


@dataclass(frozen=True)
class Status:
    """`error`: what it waits for or why it failed; `seconds`: since loading began, where that is known."""

    code: Code
    error: StudioError | None = None
    seconds: float | None = None
    memory_bytes: int = 0

    @property
    def moving(self) -> bool:
        """It will change soon, by itself."""
        return self.code in ("waiting", "loading", "answering")


def status_of(model: str) -> Status:
    found, load = (served() or {}).get(model), loader().find(model)
    going = load if load and not load.ended else None
    if found and found.state == "ready":
        return Status("ready" if found.idle_seconds else "answering", memory_bytes=found.memory_bytes)
    if going and going.held:
        return Status("waiting", going.held)
    if going or (found and found.state == "loading"):
        return Status("loading", seconds=time.monotonic() - going.begun if going else None)
    if load and load.error:
        return Status("failed", load.error)
    if found:
        return Status("failed", StudioError.of([found.error]) if found.error else StudioError("serve.broken"))
    return Status("absent")


def status_line(model: str, chosen: list[str], chat: Chat | None) -> None:
    """Draws itself again while something happens; when the host of models goes, the page says it. `chosen`: all models of the
    page, which stay in memory while it is open."""

    def draw() -> bool:
        if served() is None:
            st.rerun()
        keep_chosen(chosen)
        now = status_of(model)
        _draw(model, now, chat)
        return now.moving

    api_cache.auto_refresh(draw, busy=status_of(model).moving)


def _draw(model: str, now: Status, chat: Chat | None) -> None:
    if now.code in ("waiting", "failed") and now.error:
        _trouble(model, now, now.error, chat)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"pg_state_{model}"):
        if now.code == "absent":
            st.badge(_("Not loaded"), icon=":material/circle:", color="gray")
            st.caption(_("Loads on demand"), width="stretch")
            st.button(
                _("Load"),
                key=f"pg_load_{model}",
                type="tertiary",
                icon=":material/play_arrow:",
                on_click=_load,
                args=(model, chat),
            )
        elif now.code == "loading":
            st.badge(_("Loading"), icon=":material/hourglass_top:", color="blue")
            st.caption(duration(now.seconds) if now.seconds is not None else _("Starting"), width="stretch")
            _unload_button(model, _("Cancel"), ":material/close:")
        else:
            answering = now.code == "answering"
            st.badge(
                _("Answering") if answering else _("Ready"),
                icon=":material/more_horiz:" if answering else ":material/check:",
                color="blue" if answering else "green",
            )
            st.caption(format_size(now.memory_bytes), width="stretch")
            _unload_button(model, _("Unload"), ":material/eject:", idle_words())


def idle_words() -> str:
    """When an unused model is unloaded; empty when it never is."""
    seconds = api_cache.studio().settings.chat_idle_seconds
    after = f"{seconds // 60} min" if seconds % 60 == 0 else duration(seconds)
    return _("Unloads after {time} idle.").format(time=after) if seconds else ""


def _unload_button(model: str, label: str, icon: str, about: str = "") -> None:
    st.button(
        label,
        key=f"pg_unload_{model}",
        type="tertiary",
        icon=icon,
        help=about or None,
        on_click=api_cache.run_action,
        args=(lambda: _unload(model),),
    )


def _trouble(model: str, now: Status, error: StudioError, chat: Chat | None) -> None:
    waiting = now.code == "waiting"
    held = error.code in FORCEABLE | TRANSIENT
    why = _why(error)
    with st.container(gap="xsmall", key=f"pg_trouble_{model}"):
        if waiting:
            st.info(escape_markdown(f"{_('Waiting: loads automatically.')} {why}"), icon=":material/hourglass_top:")
        elif held:
            st.warning(message_markdown(why), icon=":material/memory:")
        else:
            st.error(message_markdown(why), icon=":material/error:")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            _unload_others_button(model, error, chat)
            if waiting:
                st.button(_("Stop waiting"), key=f"pg_give_up_{model}", on_click=_give_up, args=(model,))
            elif error.code in TRANSIENT:
                st.button(_("Wait"), key=f"pg_wait_{model}", on_click=_load, args=(model, chat, False, True))
            if error.code in FORCEABLE:
                st.button(_("Load anyway"), key=f"pg_force_{model}", on_click=_load, args=(model, chat, True))
            if error.code not in TRANSIENT:
                st.button(_("Try again"), key=f"pg_again_{model}", on_click=_load, args=(model, chat))
            _job_link(error)


def _unload_others_button(model: str, error: StudioError, chat: Chat | None) -> None:
    """Where other models hold the memory: unload them and load this one."""
    about = error.problems[0].args
    if "unload" in about:
        label = _("Unload “{models}”").format(models=escape_markdown(about["others"]))
        others = about["unload"].split()
        st.button(label, key=f"pg_swap_{model}", type="primary", on_click=_swap, args=(model, others, chat))


def _why(error: StudioError) -> str:
    """Its sentences, with a stage as people call it."""
    said = []
    for problem in error.problems:
        named = {"stage": stage_label(problem.args["stage"])} if "stage" in problem.args else {}
        said.append(problem.model_copy(update={"args": problem.args | named}).sentence(_))
    return " ".join(said)


def _job_link(error: StudioError) -> None:
    """To the run whose job holds the memory."""
    job_id = error.problems[0].args.get("job")
    job = next((job for job in api_cache.open_jobs() if job.id == job_id), None)
    if job:
        label = _("Show the run: {stage}").format(stage=stage_label(job.stage))
        page_link(RUN.path, label=label, icon=RUN.icon, query_params={"id": job.run_id})


def _load(model: str, chat: Chat | None, force: bool = False, patient: bool = False) -> None:
    """What the model could not answer for want of being loaded is asked again."""
    loader().begin(model, force, patient)
    if chat:
        chat.retry(model)


def _unload(model: str) -> None:
    loader().unload(model)
    served.clear()


def _swap(model: str, others: list[str], chat: Chat | None) -> None:
    for other in others:
        api_cache.run_action(partial(_unload, other))
    _load(model, chat)


def _give_up(model: str) -> None:
    load = loader().find(model)
    if load:
        load.stop()
