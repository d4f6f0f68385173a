"""The Streamlit shell: entrypoint, navigation, launcher. With `pages/`, the only place that imports streamlit."""
