"""What the newest audition gave: who is best, in words, and all candidates side by side."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.core.errors import Problem
from backend.core.schemas import ArtifactView, Kind
from studio.ui.forms.pickers import disambiguate
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import (
    TRUNCATED_SHARE,
    ago,
    escape_markdown,
    format_metric,
    money,
    number,
    percent,
    truncation_hint,
)
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project
from studio.ui.shared.table import Cell, Column, plain_table
from studio.ui.teacher.labels import score_text
from studio.ui.teacher.select_teacher import select_button

ALPHA = 0.05
"""Below this a difference is not taken for chance."""


def ranking() -> None:
    mine = [view for view in api_cache.artifacts((Kind.AUDITION,)) if view.project == project().id]
    if not mine:
        st.info(
            _("No audition yet. Pick candidates to compare on the same rows."),
            icon=":material/info:",
        )
        return
    names = disambiguate({view.id: f"{view.name} · {ago(view.created)}" for view in mine})
    chosen = mine[0].id
    if len(mine) > 1:
        chosen = st.selectbox(
            _("Audition"),
            list(names),
            format_func=lambda id_: names.get(id_, id_),
            key="audition_shown",
            filter_mode=None,
        )
    view = next((each for each in mine if each.id == chosen), mine[0])
    with st.container(border=True, key="ranking"):
        _result(view)


def _result(view: ArtifactView) -> None:
    candidates: list[dict[str, Any]] = view.facts["candidates"]
    metric: str = view.facts["metric"]
    best = candidates[0]
    if best["failed"]:
        st.warning(_("No candidate passed. Don't use any as teacher."), icon=":material/warning:")
    else:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(_winner(best, metric, int(view.facts["n"])), width="stretch")
            prompt = {"prompt": view.facts["prompt"]} if view.facts.get("prompt") else {}
            select_button(best["name"], {**who(best), **prompt, "data": view.facts["data"]}, "use_winner", primary=True)
        for words in others(candidates):
            st.caption(escape_markdown(words))
    plain_table("audition_table", _("Candidates"), columns(metric), rows(candidates, metric), stack=True)
    baseline = next((one["baseline"] for one in candidates if "baseline" in one), None)
    if baseline is not None:
        words = _("The majority-class baseline reaches {share}; a teacher must beat it.")
        st.caption(words.format(share=percent(baseline)))
    for one in candidates:
        if (share := one.get("cut_off") or 0.0) >= TRUNCATED_SHARE:
            said = f"{one['name']}: {truncation_hint(share)}"
            st.caption(f":material/content_cut: {escape_markdown(said)}")
        if one.get("failure"):
            said = Problem(**one["failure"]).sentence(_)
            st.markdown(f":red[:material/error: {escape_markdown(one['name'])}] {escape_markdown(said)}")
    _examples(candidates)


def who(one: dict[str, Any]) -> dict[str, str]:
    return {"endpoint": one["endpoint"]} if "endpoint" in one else {"model": one["model"]}


def _winner(best: dict[str, Any], metric: str, n: int) -> str:
    words = _("**{name}** is the best teacher: {label} {score} on {n} rows, {seconds} s per answer.")
    label = format_metric(metric, 0.0)[0]
    seconds = number(best["seconds_per_answer"])
    score = score_text(best, metric)
    return words.format(name=escape_markdown(best["name"]), label=label, score=score, n=n, seconds=seconds)


def others(candidates: list[dict[str, Any]]) -> list[str]:
    """Those whose difference to the best may be chance, and what speaks for them."""
    best, *rest = candidates
    found = []
    for one in rest:
        if one["failed"] or one.get("p_against_best", 0.0) < ALPHA:
            continue
        gains = []
        if one.get("usd_per_1000", 0.0) < best.get("usd_per_1000", 0.0):
            gains.append(_("cheaper"))
        if one["seconds_per_answer"] < best["seconds_per_answer"]:
            gains.append(_("faster"))
        words = _("No significant difference from {name} (p = {p}).")
        if gains:
            words = _("No significant difference from {name} (p = {p}), which is {gains}.")
        found.append(words.format(name=one["name"], p=number(one["p_against_best"]), gains=", ".join(gains)))
    return found


def columns(metric: str) -> list[Column]:
    figures = [format_metric(metric, 0.0)[0], _("Unusable answers"), _("Seconds per answer")]
    figures += [_("Cost per 1,000 answers"), _("Tokens/s")]
    made: list[Column] = [{"title": _("Candidate"), "kind": "name"}]
    return [*made, *({"title": title, "kind": "figure"} for title in figures)]  # type: ignore[list-item]


def rows(candidates: list[dict[str, Any]], metric: str) -> list[list[Cell]]:
    return [[_name(one, at == 0), *_figures(one, metric)] for at, one in enumerate(candidates)]


def _name(one: dict[str, Any], first: bool) -> Cell:
    kind = _("endpoint") if "endpoint" in one else _("model")
    if one["failed"]:
        return {"text": one["name"], "sub": _(one["failed"]), "mark": "bad", "said": _("failed")}
    return {"text": one["name"], "sub": kind, "tags": [{"text": _("Best"), "tone": "accent"}] if first else []}


def _figures(one: dict[str, Any], metric: str) -> list[Cell]:
    if "metric" not in one:
        return [{"text": "–"}] * 5
    score: Cell = {"text": format_metric(metric, one["metric"])[1], "share": one["metric"]}
    score |= {"range": (one["low"], one["high"]), "sub": f"{percent(one['low'])} – {percent(one['high'])}"}
    paid = one.get("usd_per_1000")
    texts = [percent(one["invalid_rate"]), number(one["seconds_per_answer"])]
    texts += [_("own hardware") if paid is None else money(paid), number(one["tokens_per_s"])]
    return [score, *({"text": text} for text in texts)]  # type: ignore[list-item]


def _examples(candidates: list[dict[str, Any]]) -> None:
    shown = [one for one in candidates if one.get("example")]
    with st.expander(_("Sample answers"), icon=":material/format_quote:", key="audition_examples"):
        st.caption(_("First incorrect row, or the first row."))
        for one in shown:
            example = one["example"]
            st.markdown(f"**{escape_markdown(one['name'])}**")
            st.text(example["input"])
            right, given = _("Correct: {text}").format(text=example["expected"]), _("Answer: {text}")
            st.text(f"{right}\n{given.format(text=example['answer'])}")
