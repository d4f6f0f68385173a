"""The page Settings, section by section."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version

import streamlit as st

from studio.nav import NAV
from studio.ui.settings import machine
from studio.ui.settings.notifications import notifications
from studio.ui.settings.project import this_project
from studio.ui.settings.queues import queues
from studio.ui.settings.storage import storage
from studio.ui.settings.theme import theme_switch
from studio.ui.shared import address, api_cache
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import LANGUAGES, _, choose_language, lang
from studio.ui.shared.tasks import Task

_LANGUAGE = "settings_language"
_KEY_VARIABLE = "OPENAI_API_KEY"


def settings_page() -> None:
    st.title(_("Settings"), anchor=False)
    sections: dict[str, tuple[str, Callable[[], None]]] = {
        "general": (_("General"), _general),
        "notifications": (_("Notifications"), notifications),
        "storage": (_("Storage"), storage),
        "diagnostics": (_("Diagnostics"), _diagnostics),
    }
    chosen = st.segmented_control(
        _("Show"),
        list(sections),
        format_func=lambda each: sections[each][0],
        required=True,
        label_visibility="collapsed",
        wrap=True,
        **address.bound("section", "general", sections, key="settings_section"),
    )
    with api_cache.show_errors():
        sections[str(chosen or "general")][1]()


def _general() -> None:
    with st.container(horizontal=True, gap="medium", vertical_alignment="top"):
        with st.container(width="content"):
            _language()
        with st.container(width="content"):
            theme_switch(["/" if row.default else f"/{row.path.stem}" for row in NAV])
    this_project()
    _keys()


def _diagnostics() -> None:
    checked = machine.checks()
    done = checked.done
    st.header(_("Workers and queues"), anchor=False)
    api_cache.auto_refresh(lambda: _polled(checked), busy=not done)
    machine.machine(checked)
    _about()


def _polled(checked: Task) -> bool:
    """Says whether the machine is being looked at; the page is drawn again when that ends."""
    queues()
    return not checked.done


def _language() -> None:
    st.session_state[_LANGUAGE] = lang()  # the menu has the same choice
    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=_LANGUAGE,
        required=True,
        on_change=lambda: choose_language(st.session_state[_LANGUAGE]),
    )


def _keys() -> None:
    """Whether the keys of endpoints are there; never what they are."""
    st.header(_("Endpoint keys"), anchor=False)
    st.caption(
        _(
            "Keys are stored in the system keyring or read from the environment of `slmops "
            "studio`. They are never logged or shown."
        )
    )
    names = {_KEY_VARIABLE} | {
        str(job.params.get("endpoint_key_env") or "") for run in api_cache.recent_runs(50) for job in run.jobs
    }
    badges = {True: f":green-badge[{_('set')}]", False: f":gray-badge[{_('not set')}]"}
    names |= {each.key_env for each in api_cache.endpoints()}
    rows = [
        {"name": f"`{name.replace('`', '')}`", "state": badges[bool(os.environ.get(name))]}
        for name in sorted(names)
        if name
    ]
    kept = [each.name for each in api_cache.endpoints() if each.key_kept]
    rows += [{"name": escape_markdown(name), "state": f":green-badge[{_('key in the keyring')}]"} for name in kept]
    st.table(rows, hide_index=True, hide_header=True, border="horizontal", alt=_("Endpoint keys"))


def _about() -> None:
    st.header(_("About SLMOps Studio"), anchor=False)
    settings = api_cache.studio().settings
    database = _("SQLite, in the studio folder") if settings.sqlite else "Postgres"
    rows = {
        _("Version"): version("slmops-studio"),
        _("Studio folder"): f"{escape_markdown(str(settings.home))} (`SLMOPS_HOME`)",
        _("Database"): f"{database} (`SLMOPS_DB_URL`)",
        _("License"): "Apache-2.0",
        _("Fonts"): "Inter, JetBrains Mono (SIL Open Font License 1.1)",
        _("Built-in model"): "SmolLM2-135M-Instruct (Apache-2.0)",
    }
    shown = [{"label": label, "value": value} for label, value in rows.items()]
    st.table(shown, hide_index=True, hide_header=True, border="horizontal", alt=_("About SLMOps Studio"))
