"""What lies on the disk, and how to get space back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from backend.core.schemas import Storage
from backend.files.uploads import Upload
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import ago, escape_markdown, format_size, kind_label
from studio.ui.shared.i18n import _, ngettext

_OLD_RUNS = "settings_old_runs"
_FREED = "settings_freed"
_OLD_DAYS = 30
_NEVER_DAYS = 36_500


def storage() -> None:
    kept = api_cache.storage()
    st.subheader(_("Disk"), anchor=False)
    with st.grid(3, min_column_width=170, gap="small"):
        st.metric(_("Used by the studio"), format_size(sum(kept.by_kind.values())), border=True)
        st.metric(_("Free on this disk"), format_size(kept.free), border=True)
        st.metric(_("Can be freed at once"), format_size(kept.reclaimable), border=True)
    _bars(kept)
    if st.session_state.get(_FREED) is not None:
        st.toast(_("{size} freed.").format(size=format_size(st.session_state.pop(_FREED))))
    _free(kept)
    _uploads(api_cache.studio().uploads())


def _bars(kept: Storage) -> None:
    used = sorted(((kind, bytes_) for kind, bytes_ in kept.by_kind.items() if bytes_), key=lambda pair: -pair[1])
    if not used:
        st.caption(_("Nothing is stored yet."))
        return
    total = sum(bytes_ for _kind, bytes_ in used)
    with st.grid(2, min_column_width=260, gap=("xsmall", "large")):
        for kind, bytes_ in used:
            count = f" · {kept.counts[kind]}" if kept.counts.get(kind) else ""
            st.progress(bytes_ / total, text=f"{kind_label(kind)}{count} · {format_size(bytes_)}")


def _free(kept: Storage) -> None:
    with st.container(border=True, key="free_space", gap="small"):
        st.markdown(f"**{_('Tidy up')}**")
        st.caption(
            _(
                "Removes what nothing refers to: half-made artifacts, files of jobs that are done or gone, uploads that "
                "broke off. Models, datasets and packages stay."
            )
        )
        old = st.checkbox(
            _("Also forget runs that ended more than {days} days ago; what they made stays").format(days=_OLD_DAYS),
            key=_OLD_RUNS,
        )
        with st.container(horizontal=True, gap="small"):
            st.button(
                _("Free space"),
                key="free",
                icon=":material/mop:",
                disabled=not kept.reclaimable and not old,
                on_click=_freeing,
                args=(lambda: api_cache.studio().gc(_OLD_DAYS if old else _NEVER_DAYS),),
            )
            cache = kept.by_kind.get("cache", 0)
            st.button(
                _("Clear the cache ({size})").format(size=format_size(cache)),
                key="clear_cache",
                icon=":material/cached:",
                disabled=not cache,
                help=_("Answers of teachers and compiled models. They are made again when they are needed."),
                on_click=_freeing,
                args=(lambda: api_cache.studio().gc(_NEVER_DAYS, cache=True),),
            )


def _freeing(action: Callable[[], int]) -> None:
    def free() -> None:
        st.session_state[_FREED] = action()

    api_cache.run_action(free)


def _uploads(files: list[Upload]) -> None:
    title = ngettext("{n} uploaded file", "{n} uploaded files", len(files)) if files else _("No uploaded files")
    st.markdown(f"**{title}**")
    with st.container(gap=None, key="uploads"):
        for each in files:
            _upload(each)


def _upload(each: Upload) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"{escape_markdown(each.name)} · {format_size(each.bytes)} · {ago(each.created)}", width="content")
        st.button(
            _("Delete"),
            key=f"delete_upload_{each.id}",
            icon=":material/delete:",
            type="tertiary",
            on_click=_freeing,
            args=(partial(api_cache.studio().delete_upload, each.id),),
        )
