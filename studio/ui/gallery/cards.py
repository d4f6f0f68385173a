"""The samples as cards: what each is for, its license, and a button that takes it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from backend.api.examples import LICENSE, SAMPLES, Sample, add_sample
from studio.ui.shared import api_cache
from studio.ui.shared.i18n import _, lang, ngettext

_SOURCE = "https://creativecommons.org/publicdomain/zero/1.0/"


def gallery(take: Callable[[str, str], None]) -> None:
    """`take` gets the path of the copy and its license, in a callback."""
    with st.expander(_("Or start with a sample"), icon=":material/inventory_2:", key="samples"):
        with st.grid("auto", min_column_width=165, gap="small"):
            for sample in SAMPLES:
                _card(sample, take)
        st.caption(
            _("Written for SLMOps Studio, free for any use ([{license}]({link})).").format(
                license=LICENSE, link=_SOURCE
            )
        )


def _card(sample: Sample, take: Callable[[str, str], None]) -> None:
    with st.container(border=True, height="stretch", gap="xsmall", key=f"sample_{sample.id}"):
        st.markdown(f"**:material/{sample.icon}: {_(sample.goal)}**")
        st.caption(_(sample.about))
        st.space("stretch")
        st.caption(f"{ngettext('{n} row', '{n} rows', sample.rows)} · {LICENSE}")
        st.button(
            _("Use this sample"),
            key=f"use_sample_{sample.id}",
            width="stretch",
            on_click=api_cache.run_action,
            args=(lambda: _take(sample, take),),
        )


def _take(sample: Sample, take: Callable[[str, str], None]) -> None:
    """Raises StudioError when the copy can't be made."""
    made = add_sample(api_cache.studio().settings, sample.id, lang())
    take(str(made.path), LICENSE)
