"""The drawer with everything that is known about one artifact: its card, what made it, its files and their hashes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from backend.api import MODEL_KINDS
from backend.core.artifacts import Manifest
from backend.core.schemas import ArtifactView, Kind
from backend.packaging.verify import version_key
from studio.ui.models.conversation import conversation_form
from studio.ui.models.conversation import keys as conversation_keys
from studio.ui.models.labels import format_count
from studio.ui.shared import api_cache
from studio.ui.shared.artifact_link import artifact_link
from studio.ui.shared.curves import stop_sentence
from studio.ui.shared.edit_names import edit_popover
from studio.ui.shared.formatting import ago, escape_markdown, format_size, kind_word, message_markdown, stage_label
from studio.ui.shared.hub_push import push_popover
from studio.ui.shared.i18n import _
from studio.ui.shared.job_card.loss_curves import TRAINING_STAGES
from studio.ui.shared.params import param_text, param_title
from studio.ui.shared.tags import tag_badges
from studio.ui.shared.tasks import background, failure
from studio.ui.shared.widgets import run_link

PARAMETER = "model"
"""Of the page's address, so that a drawer can be linked to and survives a reload."""


def open_drawer(artifact_id: str) -> None:
    st.query_params[PARAMETER] = artifact_id


def _close() -> None:
    st.query_params.pop(PARAMETER, None)


def drawer(view: ArtifactView, known: dict[str, ArtifactView]) -> None:
    st.dialog(escape_markdown(view.name), width="medium", position="right", on_dismiss=_close)(_body)(view, known)


def _body(view: ArtifactView, known: dict[str, ArtifactView]) -> None:
    with api_cache.show_errors():
        manifest = api_cache.studio().manifest(view.id)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            tag_badges(view.tags)
            edit_popover(view)
            push_popover(view)
        _facts(view)
        _check(view)
        for each in view.problems:
            st.error(message_markdown(each.sentence(_)), icon=":material/error:")
        for each in view.taken:
            st.caption(message_markdown(each.fact(_)))
        _trial(view.facts.get("trial", {}))
        conversation_form(view)
        _versions(view, known)
        _lineage(view, known, manifest)
        _parameters(manifest, known)
        _files(view, manifest)


def _facts(view: ArtifactView) -> None:
    facts = view.facts
    rows = {_("Kind"): kind_word(view.kind), _("Size on disk"): format_size(view.size_bytes)}
    counts = {
        _("Parameters"): "parameters",
        _("Trained parameters"): "adapter_parameters",
        _("Layers"): "layers",
        _("Context length (tokens)"): "context",
        _("Vocabulary"): "vocabulary",
    }
    rows |= {label: format_count(facts[name]) for label, name in counts.items() if facts.get(name)}
    plain = {_("Architecture"): "architecture"}
    if view.kind is Kind.PACKAGE:
        plain[_("Version")] = "version"
    rows |= {label: escape_markdown(str(facts[name])) for label, name in plain.items() if facts.get(name)}
    if facts.get("precision"):
        rows[_("Precision")] = escape_markdown(str(facts["precision"])).upper()
    rows |= {_("License"): escape_markdown(view.license or _("license unknown")), _("Identifier"): f"`{view.id}`"}
    if view.kind in MODEL_KINDS:
        rows |= _memory(view)
    _table(_("Details"), rows)


def keys() -> list[str]:
    """Of what goes on in the background for the drawer that is open."""
    shown = st.query_params.get(PARAMETER, "")
    return [_check_key(shown), *conversation_keys(shown)] if shown else []


def _check_key(artifact_id: str) -> str:
    return f"check_{artifact_id}"


def _check(view: ArtifactView) -> None:
    """A model of an earlier version is checked when somebody first opens it, in a child; the page is drawn again then."""
    studio = api_cache.studio()
    if not studio.check_due(view):
        return
    going = background(_check_key(view.id), lambda: studio.check_model(view.id))
    if not going.done:
        st.markdown(f":shimmer[{_('Checking the weights…')}]")
    elif said := failure(going):
        st.error(message_markdown(said), icon=":material/error:")


def _trial(trial: dict[str, Any]) -> None:
    """The rendered question and what the model wrote when it came in."""
    if not trial:
        return
    st.markdown(f"**{_('Import test')}**")
    st.code(trial["prompt"] + trial.get("answer", ""), language=None, wrap_lines=True)
    notes = [_("End of turn: {token}").format(token=f"`{trial['end']}`")]
    if "answer" not in trial:
        notes.append(_("Not answered: the model is large for this machine."))
    elif trial["ended"]:
        notes.append(_("The model stopped by itself."))
    st.caption(" · ".join(notes))


def _memory(view: ArtifactView) -> dict[str, str]:
    try:
        card = api_cache.studio().card(view.id)
    except KeyError:  # a model of another version may lack a fact that the memory follows from
        return {}
    words = {
        "inference fp32": _("Inference memory, 32-bit weights"),
        "inference int4": _("Inference memory, 4-bit weights"),
        "LoRA training": _("Memory to fine-tune an adapter"),
    }
    fits = {True: f":green-badge[{_('fits this machine')}]", False: f":red-badge[{_('does not fit this machine')}]"}
    uses = [use for use in card.memory if use in _uses(view)]
    return {words.get(use, use): f"{format_size(card.memory[use])} {fits[card.fits[use]]}" for use in uses}


def _uses(view: ArtifactView) -> tuple[str, ...]:
    """What a model of this kind is used for, by the names of its card: an ONNX model only answers, as precise as it is."""
    if view.kind is Kind.ONNX:
        return ("inference int4",) if "4" in str(view.facts.get("precision")) else ("inference fp32",)
    return ("inference fp32",) if view.kind is Kind.ADAPTER else ("inference fp32", "inference int4", "LoRA training")


def _versions(view: ArtifactView, known: dict[str, ArtifactView]) -> None:
    """Of a package: all of its name, the highest first."""
    alike = {
        each.facts.get("version", ""): each
        for each in reversed(known.values())
        if each.kind is Kind.PACKAGE and each.name == view.name
    }
    if view.kind is not Kind.PACKAGE or len(alike) < 2:
        return
    st.markdown(f"**{_('Versions')}**")
    lines = []
    for version in sorted(alike, key=version_key, reverse=True):
        each, mark = alike[version], "**" if version == view.facts.get("version") else ""
        lines.append(f"- {mark}{escape_markdown(version)}{mark} · {format_size(each.size_bytes)} · {ago(each.created)}")
    st.markdown("\n".join(lines))


def _lineage(view: ArtifactView, known: dict[str, ArtifactView], manifest: Manifest) -> None:
    """What it was made from and by which run, as links."""
    st.markdown(f"**{_('Created from')}**")
    with st.container(gap=None, key="made_from"):
        for id_ in manifest.parents:
            if id_ in known:
                artifact_link(known[id_])
            else:
                st.caption(f"`{id_}` · {_('deleted')}")
        if not manifest.parents:
            st.caption(_("Imported: no earlier steps."))
        if run := api_cache.studio().run_of(view.id):
            run_link(run)


def _parameters(manifest: Manifest, known: dict[str, ArtifactView]) -> None:
    if not manifest.stage or not manifest.params:
        return
    st.markdown(f"**{stage_label(manifest.stage)}**")
    rows = {
        param_title(manifest.stage, name): escape_markdown(param_text(manifest.stage, name, value, known))
        for name, value in manifest.params.items()
    }
    if manifest.seed is not None:
        rows[_("Seed")] = str(manifest.seed)
    _table(_("Stage parameters"), rows)
    if manifest.stage in TRAINING_STAGES and (told := stop_sentence(manifest.facts.get("training", {}))):
        st.caption(told)


def _files(view: ArtifactView, manifest: Manifest) -> None:
    st.markdown(f"**{_('Files')}**")
    st.caption(_("SHA-256 of every file, in `sha256sum --check` format."))
    lines = [f"{digest}  {name}" for name, digest in sorted(manifest.files.items())]
    st.code("\n".join(lines), language=None, height=220 if len(lines) > 8 else "content")
    made_with = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    if made_with:
        st.caption(_("Created with {versions}").format(versions=escape_markdown(made_with)))
    st.caption(_("Folder: `{path}`").format(path=str(view.path).replace("`", "")))


def _table(alt: str, rows: dict[str, str]) -> None:
    shown = [{"label": label, "value": value} for label, value in rows.items()]
    st.table(shown, hide_index=True, hide_header=True, border="horizontal", alt=alt)
