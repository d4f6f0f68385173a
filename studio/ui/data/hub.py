"""Datasets of a hub on the page Data: a search, what one holds, and a button that downloads it as a source for the form. The
network is asked after a press only, in the background; a download is a job."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import streamlit as st

from backend.api.hub import HubDetails, HubEntry
from backend.core.schemas import JobView, State
from studio.ui.data.uploads import take_upload
from studio.ui.forms.stage_page import jobs_of
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, format_size, message_markdown, number
from studio.ui.shared.hub_search import found, hub_expander, search_form, search_key
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.project_progress import latest_jobs, own_runs
from studio.ui.shared.tasks import Task, at_work, background, drop, failure, signature, task

STAGE = "download_data"
OPENED, TOLD = "hub_data_opened", "hub_data_told"
_CARD_CHARS = 4000
_MOST_FILES = 500


def hub_box() -> None:
    """Folded away until somebody opens it; below it the downloads, and what came."""
    about = _(
        "Datasets from huggingface.co, or the mirror in HF_ENDPOINT: Parquet, CSV and JSON files. Nothing is requested "
        "until you press a button, and no code of a dataset is run."
    )
    hub_expander("dataset", _("Datasets on the hub"), about, _box)
    jobs_of(STAGE)
    _arrived()
    seen = signature(_keys())
    api_cache.auto_refresh(lambda: _watch(seen), busy=at_work(_keys()))


def _box() -> None:
    search_form("dataset", "reviews")
    for each in found("dataset", _("The hub has no dataset of that name.")) or []:
        _row(each)


def _row(entry: HubEntry) -> None:
    opened = st.session_state.get(OPENED) == entry.repo
    facts = [escape_markdown(entry.license) if entry.license else _("license unknown")]
    facts += [_("{count} downloads").format(count=number(entry.downloads))] if entry.downloads else []
    facts += [_("access on request")] if entry.gated else []
    with st.container(border=True, key=f"hub_data_{entry.repo}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap=None, width="stretch"):
                st.markdown(f"**{escape_markdown(entry.repo)}**")
                st.caption(" · ".join(facts))
            if not opened:
                st.button(_("View"), key=f"hub_view:{entry.repo}", on_click=_open, args=(entry.repo,))
        if opened:
            _details(entry.repo, task(_details_key(entry.repo)))


def _open(repo: str) -> None:
    st.session_state[OPENED] = repo
    key, studio = _details_key(repo), api_cache.studio()
    drop(key)
    background(key, lambda: (studio.hub_details(repo, "dataset"), studio.hub_card_or_none(repo, "dataset")))


def _details(repo: str, going: Task | None) -> None:
    if going is None or not going.done:
        st.markdown(f":shimmer[{_('Searching…')}]")
        return
    if said := failure(going):
        st.error(message_markdown(said), icon=":material/error:")
        return
    known, card = going.result
    if card:
        with st.expander(_("Card"), icon=":material/description:", key=f"hub_card_{repo}"):
            st.code(card[:_CARD_CHARS], language=None, wrap_lines=True)
    if not known.files:
        st.markdown(_("It has no Parquet, CSV or JSON files."))
        return
    config, splits, files = _choice(known)
    parts = [part for part in known.parts if part.config == config and (not splits or part.split in splits)]
    wanted = set(files) or {name for part in parts for name in part.files}
    size = sum(each.bytes for each in known.files if each.name in wanted)
    start = _start_key(repo)
    begun = task(start)
    st.button(
        f"{_('Download')} · {format_size(size)}",
        key=f"hub_fetch:{repo}",
        icon=":material/download:",
        type="primary",
        disabled=bool(begun and not begun.done),
        on_click=_download,
        args=(known, config, splits, files),
    )
    if said := failure(begun):
        st.error(message_markdown(said), icon=":material/error:")


def _choice(known: HubDetails) -> tuple[str, list[str], list[str]]:
    """The configuration, splits and files that are asked for; no splits and no files: all of the configuration."""
    configs = list(dict.fromkeys(part.config for part in known.parts))
    first = configs.index("default") if "default" in configs else 0
    config = configs[first]
    if len(configs) > 1:
        config = st.selectbox(
            _("Configuration"), configs, first, key=f"hub_config_{known.repo}", format_func=lambda each: each or "–"
        )
    parts = [part for part in known.parts if part.config == config]
    names = [part.split for part in parts if part.split]
    splits: list[str] = []
    if len(names) > 1:
        splits = st.multiselect(
            _("Splits"), names, key=f"hub_splits_{known.repo}_{config}", placeholder=_("All splits")
        )
    inside = [name for part in parts for name in part.files][:_MOST_FILES]
    files: list[str] = []
    if len(inside) > 1:
        sizes = {each.name: format_size(each.bytes) for each in known.files}
        files = st.multiselect(
            _("Files"),
            inside,
            key=f"hub_files_{known.repo}_{config}",
            format_func=lambda name: f"{name} · {sizes[name]}",
            placeholder=_("All files"),
        )
    return config, splits, files


def _download(known: HubDetails, config: str, splits: list[str], files: list[str]) -> None:
    key, studio, mine = _start_key(known.repo), api_cache.studio(), project().name
    drop(key)

    def start() -> None:
        studio.start_data_download(studio.hub_data(known.repo, known.commit, config, splits, files), mine)

    background(key, start)


def _arrived() -> None:
    """The newest download that ended, until its files are the form's source."""
    done = [job for job in latest_jobs(own_runs(project().id), STAGE) if job.state is State.SUCCEEDED]
    if not done or done[0].id == st.session_state.get(TOLD):
        return
    job, source = done[0], str(done[0].result.get("source", ""))
    if not source or not Path(source).is_dir():
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="hub_data_arrived"):
        license_ = job.result.get("license") or _("license unknown")
        st.markdown(f"**{escape_markdown(job.params['repo'])}** · {escape_markdown(license_)}", width="stretch")
        st.button(_("Use as source"), key=f"hub_use:{job.id}", type="primary", on_click=partial(_take, job))


def _take(job: JobView) -> None:
    st.session_state[TOLD] = job.id
    take_upload(job.result["source"], job.result.get("license") or "")


def _details_key(repo: str) -> str:
    return f"hub_details:{repo}"


def _start_key(repo: str) -> str:
    return f"hub_start:{repo}"


def _keys() -> list[str]:
    opened = st.session_state.get(OPENED, "")
    return [search_key("dataset"), _details_key(opened), _start_key(opened)]


def _watch(seen: tuple[object, ...]) -> bool:
    """Draws nothing: the page is drawn again when something began or ended."""
    if signature(_keys()) != seen:
        st.rerun()
    return at_work(_keys())
