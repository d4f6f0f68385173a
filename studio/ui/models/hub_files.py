"""Which files of a repository of a hub are downloaded, where it has GGUF files: its safetensors, or one of those."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from backend.api.hub import HubDetails
from studio.ui.shared import api_cache
from studio.ui.shared.formatting import escape_markdown, format_size
from studio.ui.shared.i18n import _


def file_choice(known: HubDetails, take: Callable[[HubDetails, str, bool], None]) -> None:
    """`take` gets the repository, the name of the GGUF file ("" for safetensors) and whether its license was accepted."""
    has_weights = any(each.name.endswith(".safetensors") for each in known.files)
    labels = {"": f"safetensors · {format_size(known.bytes)}"} if has_weights else {}
    for each in known.gguf:
        facts = [each.quantization, each.name, format_size(each.bytes)]
        if each.files[1:]:
            facts.append(_("{count} parts").format(count=len(each.files)))
        labels[each.name] = " · ".join(fact for fact in facts if fact)
    file = st.selectbox(_("Files"), list(labels), format_func=lambda name: labels[name], key=f"hub_file_{known.repo}")
    accepted = _accepted(known) if file else False
    st.button(
        _("Download"),
        key=f"hub_take:{known.repo}",
        icon=":material/download:",
        type="primary",
        disabled=bool(file) and not accepted and api_cache.studio().hub_asks_for_terms(known),
        on_click=take,
        args=(known, file, accepted),
    )


def _accepted(known: HubDetails) -> bool:
    """Always asked: the file itself may name another license than its repository."""
    license_ = escape_markdown(known.license) if known.license else _("license unknown")
    st.caption(_("A GGUF file is unpacked to 32-bit weights."))
    st.markdown(
        _("License of **{name}**: {license}").format(
            name=escape_markdown(known.repo), license=f"{license_} · {escape_markdown(known.url)}"
        )
    )
    return st.checkbox(_("I have read these terms and accept them"), key=f"hub_terms_{known.repo}")
