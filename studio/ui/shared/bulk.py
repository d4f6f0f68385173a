"""What can be done with several runs or artifacts at once: tag them, delete them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.tags import tag_field
from studio.ui.shared.undo import offer_undo


def bulk_bar(
    key: str, chosen: Mapping[str, str], clear: Callable[[], None], more: Callable[[], None] | None = None
) -> None:
    """`chosen`: id -> name of what is selected, runs or artifacts; `clear`: ends the selection, within a callback; `more`
    draws further buttons. Nothing while nothing is selected."""
    if not chosen:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", border=True, key=f"{key}_bulk"):
        st.markdown(f"**{ngettext('{n} selected', '{n} selected', len(chosen))}**", width="content")
        if more:
            more()
        box = st.popover(_("Tag"), icon=":material/sell:", key=f"{key}_tag", on_change="rerun")
        if box.open:
            with box:
                tag_field(f"{key}_tags", (), _("Add to all selected"))
                st.button(_("Add"), key=f"{key}_add", type="primary", on_click=_add, args=(key, list(chosen)))
        st.button(
            _("Delete"), key=f"{key}_delete", icon=":material/delete:", on_click=_delete, args=(dict(chosen), clear)
        )
        st.button(_("Clear selection"), key=f"{key}_clear", type="tertiary", on_click=clear)


def _add(key: str, ids: list[str]) -> None:
    api_cache.run_action(lambda: api_cache.studio().add_tags(ids, st.session_state[f"{key}_tags"]))
    st.session_state[f"{key}_tag"] = False


def _delete(chosen: dict[str, str], clear: Callable[[], None]) -> None:
    def delete() -> None:
        offer_undo(list(chosen.values()), api_cache.studio().delete_all(list(chosen)))
        clear()

    api_cache.run_action(delete)
