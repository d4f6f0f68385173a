"""What works on this machine and what to do about the rest: the checks of `slmops doctor`."""

from __future__ import annotations

import time

import streamlit as st

from backend.api import doctor
from backend.api.doctor import Check
from studio.ui.shared.formatting import escape_markdown, message_markdown
from studio.ui.shared.i18n import _
from studio.ui.shared.tasks import Task, background, drop, failure, task

_KEY = "doctor"
_FRESH_SECONDS = 60.0


def checks() -> Task:
    """Under way, or done a moment ago; all sessions share one."""
    known = task(_KEY)
    if known and known.ended is not None and time.monotonic() - known.ended > _FRESH_SECONDS:
        drop(_KEY)
    return background(_KEY, doctor.run_checks)


def machine(checked: Task) -> None:
    st.header(_("Machine and checks"), anchor=False)
    if not checked.done:
        st.markdown(f":shimmer[{_('Checking this machine…')}]")
        return
    if said := failure(checked):
        st.error(message_markdown(said), icon=":material/error:")
    else:
        _found(checked.get())
    st.button(_("Check again"), key="check_again", icon=":material/refresh:", on_click=drop, args=(_KEY,))


def _found(checks: list[Check]) -> None:
    icons = {
        "ok": f":green[:material/check_circle:] {_('OK')}",
        "absent": f":gray[:material/radio_button_unchecked:] {_('optional')}",
        "missing": f":red[:material/error:] {_('missing')}",
    }
    rows = [check.row(_) for check in checks]
    shown = [
        {
            _("State"): icons[row["state"]],
            _("Check"): escape_markdown(row["what"]),
            _("Found"): " · ".join(
                escape_markdown(row[part].replace("`", "")) for part in ("found", "remedy") if row[part]
            ),
        }
        for row in rows
    ]
    st.table(shown, hide_index=True, border="horizontal", alt=_("Machine and checks"))
