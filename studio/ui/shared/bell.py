"""The bell in the sidebar: what ended since somebody looked, with links; and the script that keeps the tab's title and tells
the browser of what ends."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from backend.core.schemas import RunView
from studio.nav import RUN
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.ended import run_label, sentence
from studio.ui.shared.formatting import STATES, ago, escape_markdown
from studio.ui.shared.i18n import _, lang
from studio.ui.shared.project import project


def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


_LIVE = st.components.v2.component("studio_live", html="<i hidden></i>", js=_part("live.js"))
_SWITCH = st.components.v2.component(
    "studio_notify", html='<div class="switch"></div>', css=_part("notify_switch.css"), js=_part("notify_switch.js")
)


def bell(title: str) -> None:
    """`title`: the page's, as it stands in the browser's tab. Drawn again by itself when something ends."""

    @st.fragment
    def fresh() -> None:
        mine = project().id
        with api_cache.show_errors():
            news = api_cache.news(mine)
            _box(news.runs, len(news.unread), mine)
        _LIVE(
            key="live",
            data={
                "title": title,
                "project": mine,
                "lang": lang(),
                "unread": [f"{run.id}@{run.ended}" for run in news.unread],
            },
            on_changed_change=lambda: None,
            height=0,
        )

    fresh()


def _box(runs: list[RunView], unread: int, project_id: str) -> None:
    """What it holds is drawn only while it is open."""
    label = _("Notifications")
    icon = ":material/notifications_unread:" if unread else ":material/notifications:"
    label = f"{label} ({unread})" if unread else label
    box = st.popover(label, icon=icon, width="stretch", key="bell", on_change="rerun")
    if not box.open:
        return
    with box:
        if not unread:
            st.caption(_("Nothing new."))
        for run in runs:
            _line(run)
        if unread:
            st.button(
                _("Mark as read"),
                key="bell_read",
                icon=":material/done_all:",
                on_click=api_cache.run_action,
                args=(lambda: api_cache.studio().notifications.mark_read(project_id),),
            )
        _SWITCH(
            key="notify_switch",
            data={
                "on": _("Enable browser notifications"),
                "off": _("Disable browser notifications"),
                "denied": _("Your browser blocks notifications. Allow them in its settings."),
                "missing": _("Notifications need localhost or https."),
            },
        )


def _line(run: RunView) -> None:
    _word, icon, colour = STATES[run.state]
    said = sentence(run, _).format(run=run_label(run, _))
    with st.container(gap=None):
        page_link(RUN.path, label=escape_markdown(said), icon=icon, query_params={"id": run.id})
        st.caption(f":{colour}[●] {ago(run.ended)}" if run.ended else "")
