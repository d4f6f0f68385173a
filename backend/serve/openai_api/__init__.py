"""`slmops serve`: one model behind OpenAI's HTTP interface.

Two processes. The front (`front`, `server`) speaks HTTP and holds no weights; the answerer (`answerer`) holds the model, draws
the tokens of several answers at a time, and is started again when it dies. They tell each other lines of JSON through pipes.
"""
