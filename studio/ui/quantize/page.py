"""Below the form of the stage quantize: Olive's workflows to take home."""

from __future__ import annotations

from functools import partial

import streamlit as st

from backend.core.schemas import Kind
from studio.ui.forms.pickers import disambiguate, label
from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _
from studio.ui.shared.project import project


def workflows() -> None:
    """The Olive workflow of a model, which runs with `olive run --config` on any machine; nothing below other forms."""
    if st.session_state.get("step") != "quantize":
        return
    with api_cache.show_errors():
        _workflows()


def _workflows() -> None:
    mine = project().id
    found = [view for view in api_cache.artifacts((Kind.ONNX,)) if view.project == mine]
    found = [view for view in found if (view.path / "olive.json").is_file()]
    if not found:
        return
    st.header(_("Olive workflow"), anchor=False)
    st.caption(_("Olive configuration for `olive run --config`. Put the model folder next to it as `model`."))
    names = disambiguate({view.id: label(view) for view in found})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if st.session_state.get("workflow_shown") not in names:
            st.session_state["workflow_shown"] = found[0].id
        chosen = st.selectbox(
            _("Model"), list(names), format_func=lambda id_: names.get(id_, id_), key="workflow_shown"
        )
        view = next(view for view in found if view.id == (chosen or found[0].id))
        st.download_button(
            _("Download olive.json"),
            partial((view.path / "olive.json").read_text, "utf-8"),
            f"{view.name}-olive.json",
            "application/json",
            key="workflow_download",
            icon=":material/download:",
            on_click="ignore",
        )
