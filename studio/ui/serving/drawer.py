"""Serve a model to other programs: where, with which key, how to ask it, and what it is doing now."""

from __future__ import annotations

import streamlit as st

from backend.api.serving import ServeOptions, ServerView, curl, python
from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView
from studio.ui.playground.lineage import examples
from studio.ui.playground.model_loader import FORCEABLE
from studio.ui.serving.state import KEY, servers, start, stop
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import count_text, escape_markdown, format_size
from studio.ui.shared.i18n import _

_PORT, _KEY, _PARALLEL = "serve_port", "serve_key", "serve_parallel"
_FIELDS = ServeOptions.model_fields


def open_drawer(artifact_id: str) -> None:
    """Callback: the drawer opens in the run that follows."""
    st.session_state[KEY] = artifact_id


def _close() -> None:
    st.session_state.pop(KEY, None)


def drawer(view: ArtifactView) -> None:
    title = _("Serve {name}").format(name=escape_markdown(view.name))
    st.dialog(title, width="medium", position="right", on_dismiss=_close)(_body)(view)


def _body(view: ArtifactView) -> None:
    with api_cache.show_errors():
        st.markdown(_("OpenAI-compatible API on this machine"))
        api_cache.auto_refresh(lambda: _drawn(view), busy=_state(view) in ("loading", "ready", "stopping"))


def _state(view: ArtifactView) -> str:
    now = servers()
    return "no_host" if now is None else now[view.id].state if view.id in now else "off"


def _drawn(view: ArtifactView) -> bool:
    state = _state(view)
    if state == "no_host":
        st.warning(Problem(code="serve.no_host").sentence(_), icon=":material/power_off:")
        return False
    now = (servers() or {}).get(view.id)
    if now is None or now.state == "failed":
        _form(view, now.error if now else None)
        return False
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words, icon, colour = {
            "loading": (_("Loading"), ":material/hourglass_top:", "blue"),
            "ready": (_("Serving"), ":material/check:", "green"),
            "stopping": (_("Finishing requests"), ":material/stop_circle:", "orange"),
        }[now.state]
        st.badge(words, icon=icon, color=colour)  # type: ignore[arg-type]
        st.space("stretch")
        st.button(
            _("Stop serving"),
            key="serve_stop",
            disabled=now.state == "stopping",
            on_click=api_cache.run_action,
            args=(lambda: stop(view.id),),
        )
    if now.url:
        _counters(now.counters)
        _snippets(now, _question(view))
    return True


def _form(view: ArtifactView, error: Problem | None) -> None:
    if error:
        st.error(escape_markdown(StudioError.of([error]).text(_)), icon=":material/error:")
    st.number_input(
        _("Port"),
        0,
        65_535,
        value=_FIELDS["port"].default,
        key=_PORT,
        help=_("0 uses any free port."),
        on_change="ignore",
    )
    st.number_input(
        _("Concurrent requests"),
        1,
        64,
        value=_FIELDS["max_parallel"].default,
        key=_PARALLEL,
        help=_("Further requests are queued. Only ONNX models answer in parallel."),
        on_change="ignore",
    )
    st.text_input(
        _("Environment variable with the API key"),
        value=_FIELDS["key_env"].default,
        key=_KEY,
        help=_("Read from the studio's environment. If empty, no key is required."),
        on_change="ignore",
    )
    short = error is not None and error.code in FORCEABLE
    st.button(
        _("Serve anyway") if short else _("Start serving"),
        key="serve_start",
        type="primary",
        icon=":material/cell_tower:",
        on_click=api_cache.run_action,
        args=(lambda: _start(view, short),),
    )


def _start(view: ArtifactView, force: bool) -> None:
    state = st.session_state
    name = (state[_KEY] or "").strip() or _FIELDS["key_env"].default
    start(ServeOptions(model=view.id, port=state[_PORT], max_parallel=state[_PARALLEL], key_env=name, force=force))


def _counters(counters: dict[str, int]) -> None:
    shown = {
        _("Waiting"): _number(counters.get("waiting", 0)),
        _("Answering"): _number(counters.get("running", 0)),
        _("Answered"): _number(counters.get("answered", 0)),
        _("Refused"): _number(counters.get("refused", 0)),
        _("Tokens"): _number(counters.get("completion_tokens", 0)),
        _("Memory"): format_size(counters.get("memory_bytes", 0)),
    }
    with st.container(horizontal=True, gap="medium", key="serve_counters"):
        for label, value in shown.items():
            st.metric(label, value, width="content")


def _question(view: ArtifactView) -> str:
    """A row that the model could be asked, as an example."""
    return next((row.input for row in examples(view.id)), "Hello")


def _snippets(now: ServerView, question: str) -> None:
    st.markdown(f"**{_('Address')}**")
    st.code(now.url, language=None)
    st.markdown(f"**{_('From a terminal')}**")
    st.code(curl(now.url, now.name, now.key_env, question), language="bash", wrap_lines=True)
    st.markdown(f"**{_('From Python')}**")
    st.code(python(now.url, now.name, now.key_env, question), language="python", wrap_lines=True)
    st.caption(_("Requests without a system message use the model's training template."))


def _number(value: int) -> str:
    return count_text(value)
