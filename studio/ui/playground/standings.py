"""What the votes of the blind arena say of the models, and what can be made of them."""

from __future__ import annotations

from uuid import uuid4

import streamlit as st

from backend.api.arena import ENOUGH_VOTES, Pairs, Standing, Standings
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import number, percent
from studio.ui.shared.i18n import _, ngettext
from studio.ui.shared.project import project
from studio.ui.shared.table import Cell, Column, plain_table

_KEY = "pa_pairs_key"


@api_cache.versioned("vote", entries=8)
def found_standings(project_id: str) -> Standings:
    return api_cache.studio().arena.standings(project_id)


@api_cache.versioned("vote", entries=8)
def found_pairs(project_id: str) -> Pairs:
    return api_cache.studio().arena.pairs(project_id)


def standings_view() -> None:
    found = found_standings(project().id)
    st.header(_("Standings"), anchor=False)
    if not found.votes:
        st.caption(_("Vote, and the models are ranked here."))
        return
    count = ngettext("{n} vote", "{n} votes", found.votes)
    st.caption(f"{count} · {_('Bradley-Terry ratings on Elo’s scale, mean 1000, with 95% intervals.')}")
    if found.early:
        said = _("Too early to tell models apart: at least {n} votes are needed.")
        st.info(said.format(n=ENOUGH_VOTES), icon=":material/hourglass_top:")
    if not found.connected:
        st.warning(_("Some models never met, directly or through others: their ratings can’t be compared."))
    columns: list[Column] = [
        {"title": _("Model"), "kind": "name"},
        {"title": _("Elo rating"), "kind": "figure", "high": True},
        {"title": _("95% interval"), "kind": "figure", "high": True},
        {"title": _("Votes"), "kind": "figure", "high": True},
        {"title": _("Won"), "kind": "figure", "high": True},
    ]
    names = [each.name for each in found.models]
    rows = [_row(each, names.count(each.name) > 1) for each in found.models]
    plain_table("pa_standings", _("Standings"), columns, rows, sort=(1, True), stack=True)
    st.caption(_("Won: share of votes, ties as half. Ratings count “both bad” as a tie."))
    _pairs()


def _row(each: Standing, ambiguous: bool) -> list[Cell]:
    name: Cell = {"text": each.name, "sub": each.model} if ambiguous else {"text": each.name}
    return [
        name,
        {"text": number(round(each.rating)), "value": each.rating},
        {"text": f"{number(round(each.low))} – {number(round(each.high))}", "value": each.low},
        {"text": number(each.votes), "value": each.votes},
        {"text": percent(each.share), "value": each.share},
    ]


def _pairs() -> None:
    found = found_pairs(project().id)
    st.header(_("Preference pairs"), anchor=False)
    left = [
        (found.ties, _("ties and both bad")),
        (found.unusable, _("equal or empty answers")),
        (found.contradictory, _("contradictory")),
        (found.repeated, _("repeated")),
    ]
    said = _("{n} pairs for preference tuning (DPO).").format(n=number(len(found.rows)))
    told = ", ".join(f"{words} {number(count)}" for count, words in left if count)
    st.caption(f"{said} {_('Votes left out: {reasons}.').format(reasons=told)}" if told else said)
    st.session_state.setdefault(_KEY, uuid4().hex)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(_("Name of the dataset"), "arena-pairs", key="pa_pairs_name", max_chars=100, width=260)
        st.button(
            _("Make preference pairs"),
            key="pa_pairs",
            icon=":material/compare_arrows:",
            disabled=not found.rows,
            on_click=api_cache.run_action,
            args=(_make,),
        )


def _make() -> None:
    studio, mine = api_cache.studio(), project()
    name = st.session_state["pa_pairs_name"].strip() or "arena-pairs"
    plan = studio.plan_stage("dataset", studio.arena.pair_params(mine.id, name), f"import {name}")
    studio.start(plan, project=mine.name, key=st.session_state.pop(_KEY))
    st.toast(_("“{name}” is queued. Then tune on it on the page Fine-tune.").format(name=name))
