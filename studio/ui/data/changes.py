"""The bar above the rows: how many changes there are, undo and redo, and saving them as a new version."""

from __future__ import annotations

import streamlit as st

from backend.api.edits import EditSummary
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, State
from studio import nav
from studio.ui.data import row_editor
from studio.ui.shared import api_cache
from studio.ui.shared.address import page_link
from studio.ui.shared.formatting import escape_markdown
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.job_card.card import job_card
from studio.ui.shared.project import project


def changes_bar(view: ArtifactView) -> None:
    """The draft belongs to the dataset: a reload or another browser finds it again."""
    draft = api_cache.studio().edits.summary(view.id)
    _saving(view, draft)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="changes"):
        st.button(
            _("Add row"),
            key=f"add_{view.id}",
            icon=":material/add:",
            on_click=row_editor.open_row,
            args=(view, st.session_state.get(f"split_{view.id}") or "train", row_editor.NEW),
        )
        if draft.undoable or draft.redoable:
            marks = (
                ("undo", _("Undo"), ":material/undo:", draft.undoable),
                ("redo", _("Redo"), ":material/redo:", draft.redoable),
            )
            for mark, words, icon, on in marks:
                st.button(
                    words, key=f"{mark}_{view.id}", icon=icon, disabled=not on, on_click=_mark, args=(view.id, mark)
                )
        if draft.changes:
            _save_box(view, draft)
            st.button(
                _("Discard"),
                key=f"discard_{view.id}",
                type="tertiary",
                help=_("Redo restores the changes."),
                on_click=_mark,
                args=(view.id, "discard"),
            )
    if draft.changes:
        st.caption(f":material/edit_note: {changes_words(draft)}")


def changes_words(draft: EditSummary) -> str:
    """`3 changes, not saved yet: 2 edited, 1 deleted`."""
    counts = [
        (draft.edited, ngettext("{n} row edited", "{n} rows edited", draft.edited)),
        (draft.deleted, ngettext("{n} row deleted", "{n} rows deleted", draft.deleted)),
        (draft.added, ngettext("{n} row added", "{n} rows added", draft.added)),
        (draft.tagged, ngettext("{n} row tagged", "{n} rows tagged", draft.tagged)),
    ]
    said = ", ".join(words for count, words in counts if count)
    whole = ngettext("{n} unsaved change", "{n} unsaved changes", draft.changes)
    return f"{whole}: {said}" if said else whole


def _save_box(view: ArtifactView, draft: EditSummary) -> None:
    with st.popover(
        ngettext("Save {n} change as a new version", "Save {n} changes as a new version", draft.changes),
        icon=":material/save:",
        type="primary",
        key=f"save_box_{view.id}",
    ):
        st.text_input(
            _("Name"),
            key=f"version_{view.id}",
            max_chars=100,
            placeholder=_("blank: same name, next number"),
        )
        if draft.test:
            words = ngettext(
                "{n} test row changed: earlier results will not be comparable.",
                "{n} test rows changed: earlier results will not be comparable.",
                draft.test,
            )
            st.warning(words, icon=":material/warning:")
        st.caption(_("“{name}” is not modified.").format(name=escape_markdown(view.name)))
        st.button(_("Save"), key=f"save_{view.id}", type="primary", width="stretch", on_click=_save, args=(view.id,))


def _mark(dataset: str, mark: str) -> None:
    api_cache.run_action(lambda: api_cache.studio().edits.mark(dataset, mark))  # type: ignore[arg-type]


def _save(dataset: str) -> None:
    name = str(st.session_state.get(f"version_{dataset}") or "").strip()

    def start() -> None:
        api_cache.studio().save_version(dataset, name, project().name)
        st.session_state.pop(f"version_{dataset}", None)

    api_cache.run_action(start)


def _saving(view: ArtifactView, draft: EditSummary) -> None:
    """The run that writes the last saved changes: at work, done with a link to the new version, or failed."""
    if not draft.run:
        return
    try:
        job = api_cache.one_run(draft.run).jobs[0]
    except StudioError:  # deleted since
        return

    def draw() -> bool:
        now = api_cache.studio().job(job.id)
        if not now.state.ended:
            job_card(now)
        return not now.state.ended

    if not job.state.ended:
        api_cache.auto_refresh(draw, busy=True)
    elif job.state in (State.FAILED, State.CANCELLED, State.BLOCKED):
        job_card(job)
        st.button(
            _("Restore changes"),
            key=f"restore_{view.id}",
            icon=":material/settings_backup_restore:",
            on_click=_mark,
            args=(view.id, "restore"),
        )
    elif made := job.result.get("artifact"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(_("Saved"), icon=":material/check:", color="green")
            page_link(
                nav.DATA.path,
                label=_("Open the new version"),
                icon=":material/arrow_forward:",
                query_params={"data": made},
            )
