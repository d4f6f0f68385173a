"""Distill."""

import streamlit as st

from studio.ui.i18n import _

st.title(_("Distill"), anchor=False)
