"""What lies on the disk, and how to get space back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from backend.api.trash import MAX_DAYS, PROJECT, RUN
from backend.core.schemas import Kind, Storage, TrashView
from backend.files.uploads import Upload
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import (
    ago,
    count_text,
    escape_markdown,
    format_size,
    kind_label,
    kind_word,
    stage_label,
)
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project_name

_OLD_RUNS = "settings_old_runs"
_FREED = "settings_freed"
_OLD_DAYS = 30
_NEVER_DAYS = 36_500
_DAYS, _SHOWN, _FIRST = "trash_days", "trash_shown", 10


def storage() -> None:
    kept = api_cache.storage()
    st.header(_("Disk"), anchor=False)
    with st.grid(3, min_column_width=170, gap="small"):
        st.metric(_("Studio usage"), format_size(sum(kept.by_kind.values())), border=True)
        st.metric(_("Free disk space"), format_size(kept.free), border=True)
        st.metric(_("Reclaimable"), format_size(kept.reclaimable), border=True)
    _bars(kept)
    if st.session_state.get(_FREED) is not None:
        st.toast(_("{size} freed.").format(size=format_size(st.session_state.pop(_FREED))))
    _free(kept)
    _trash(kept)
    _uploads(api_cache.studio().uploads())


def _bars(kept: Storage) -> None:
    used = sorted(((kind, bytes_) for kind, bytes_ in kept.by_kind.items() if bytes_), key=lambda pair: -pair[1])
    if not used:
        st.caption(_("Nothing stored yet."))
        return
    total = sum(bytes_ for _kind, bytes_ in used)
    with st.grid(2, min_column_width=260, gap=("xsmall", "large")):
        for kind, bytes_ in used:
            count = f" · {count_text(kept.counts[kind])}" if kept.counts.get(kind) else ""
            st.progress(bytes_ / total, text=f"{kind_label(kind)}{count} · {format_size(bytes_)}")


def _free(kept: Storage) -> None:
    with st.container(border=True, key="free_space", gap="small"):
        st.markdown(f"**{_('Cleanup')}**")
        st.caption(
            _(
                "Deletes unreferenced files: partial artifacts, interrupted uploads, leftovers of "
                "jobs. Models, datasets and packages are kept."
            )
        )
        old = st.checkbox(
            _("Also delete runs older than {days} days; their results are kept").format(days=_OLD_DAYS),
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
                help=_("Teacher answers and compiled models, rebuilt when needed."),
                on_click=_freeing,
                args=(lambda: api_cache.studio().gc(_NEVER_DAYS, cache=True),),
            )


def _trash(kept: Storage) -> None:
    """What was deleted: how much of the disk it holds, for how long, and how it comes back."""
    studio = api_cache.studio()
    held = studio.trash()
    with st.container(border=True, key="trash", gap="small"):
        with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute"):
            size = format_size(kept.by_kind.get("trash", 0))
            st.markdown(f"**{_('Trash')}** · {ngettext('{n} item', '{n} items', len(held))} · {size}", width="content")
            st.number_input(
                _("Days in the trash"), 1, MAX_DAYS, studio.trash_days, key=_DAYS, width=160, on_change=_keep_days
            )
        if not held:
            st.caption(_("The trash is empty."))
            return
        with st.container(gap="xsmall", key="trash_rows"):
            for each in held[: st.session_state.get(_SHOWN, _FIRST)]:
                _trashed(each)
        with st.container(horizontal=True, gap="small"):
            st.button(
                _("Empty trash"),
                key="empty_trash",
                icon=":material/delete_forever:",
                help=_("Permanently deletes everything in the trash."),
                on_click=_freeing,
                args=(studio.empty_trash,),
            )
            if len(held) > st.session_state.get(_SHOWN, _FIRST):
                st.button(_("Show more"), key="more_trash", on_click=st.session_state.__setitem__, args=(_SHOWN, 1000))


def _trashed(each: TrashView) -> None:
    other = {PROJECT: _("Project"), RUN: _("Run")}
    kind = other.get(each.kind) or kind_word(Kind(each.kind))
    called = {PROJECT: project_name, RUN: stage_label}.get(each.kind, str)
    name = escape_markdown(called(each.name))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        words = f"{name} · {kind} · {format_size(each.size_bytes)} · {ago(each.trashed)}"
        st.markdown(words, width="stretch")
        st.button(
            _("Restore"),
            key=f"restore_{each.id}",
            icon=":material/restore_from_trash:",
            type="tertiary",
            on_click=api_cache.run_action,
            args=(partial(api_cache.studio().restore, [each.id]),),
        )


def _keep_days() -> None:
    api_cache.run_action(lambda: api_cache.studio().set_trash_days(int(st.session_state[_DAYS])))


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
        st.markdown(f"{escape_markdown(each.name)} · {format_size(each.bytes)} · {ago(each.created)}", width="stretch")
        st.button(
            _("Delete"),
            key=f"delete_upload_{each.id}",
            icon=":material/delete:",
            type="tertiary",
            on_click=_freeing,
            args=(partial(api_cache.studio().delete_upload, each.id),),
        )
