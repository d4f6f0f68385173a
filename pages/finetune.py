"""Fine-tune."""

import streamlit as st

from studio.ui.i18n import _

st.title(_("Fine-tune"), anchor=False)
