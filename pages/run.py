"""One run with its stages: `/run?id=<id>`, beside another by `&with=<id>`."""

import streamlit as st

from studio.ui.jobs.run_page import run_details

asked = st.query_params
run_details(asked.get("id") or asked.get("run", ""), asked.get("with", ""))  # `run`: addresses of earlier versions
