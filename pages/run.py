"""One run with its stages: `/run?run=<id>`."""

import streamlit as st

from studio.ui.jobs.run_page import run_details

run_details(st.query_params.get("run", ""))
