"""What a run has gained: `/result?run=<id>`."""

import streamlit as st

from studio.ui.result.page import result_page

result_page(st.query_params.get("run", ""))
