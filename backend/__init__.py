"""The studio's engine: store, queue, stages, models. Imports no streamlit; imports torch only in `backend.ml`."""
