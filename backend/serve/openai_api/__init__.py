"""`slmops serve`: one model behind OpenAI's HTTP interface.

Two processes. The front (`server`, `app`) speaks HTTP and holds no weights; the engine (`backend.serve.engine_process`) holds
the model, decodes several sequences at a time, and is started again when it dies. They tell each other lines of JSON through
pipes. The host of models speaks the same format to the pages (`completions`).
"""
