"""Sentences about a model that is served to other programs."""

MESSAGES: dict[str, tuple[str, str]] = {
    "api.key": ("The API key is missing or wrong.", "Send it as `Authorization: Bearer <key>`."),
    "api.host": (
        "This server answers to the names of this machine's loopback only.",
        "Use http://127.0.0.1, or start it with --host and a key.",
    ),
    "api.path": ("There is nothing at {path}.", "Use /v1/chat/completions, /v1/models, /health or /metrics."),
    "api.method": ("{path} does not take {method}.", "Look at the other methods of this address."),
    "api.model": ("The model “{model}” is not served here.", "Use “{served}”, or ask /v1/models."),
    "api.slow": ("The body of the request did not come.", "Send it again."),
    "api.large": ("The request is larger than {limit}.", "Send a shorter conversation."),
    "api.not_json": ("The body is not declared as JSON.", "Send `Content-Type: application/json`."),
    "api.json": ("The body is no valid JSON: {reason}", "Correct it and send it again."),
    "api.full": ("{count} requests are being answered or wait already.", "Try again in a moment."),
    "api.restarting": ("The process of the model is starting.", "Try again in a moment."),
    "api.stopping": ("The server is being stopped.", "Ask again when it is back."),
    "api.broken": ("The process of the model ended while it answered.", "Ask again: it is being started anew."),
    "api.unsupported": ("`{name}` is not supported by this server.", "Leave it out."),
    "api.top_logprobs": ("`top_logprobs` needs `logprobs`.", "Set `logprobs` to true."),
    "api.no_text": ("Only text can be read; this part of a message is of type “{kind}”.", "Send parts of type text."),
    "api.surrogate": ("The text holds half a character (a lone surrogate).", "Send whole Unicode characters."),
    "api.key_needed": (
        "An address beyond this machine needs an API key, and the environment variable {name} is empty.",
        "Set {name} to a key that nobody can guess, or listen on 127.0.0.1.",
    ),
    "api.port_taken": ("{host}:{port} can't be listened on: {reason}.", "Choose another port, or end what uses it."),
    "api.served": ("“{model}” is served already at {url}.", "Use that address, or stop it first."),
    "serve.rows": (
        "“{model}” can't answer several requests at once: its graph does not keep them apart.",
        "Serve the model that it was made from, or convert it again with this studio.",
    ),
}
