"""Models."""

import streamlit as st

from studio.ui.i18n import _

st.title(_("Models"), anchor=False)
