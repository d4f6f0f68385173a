"""Sentences about a model that is served to other programs."""

MESSAGES: dict[str, tuple[str, str]] = {
    "api.key": ("The API key is missing or wrong.", "Send it as `Authorization: Bearer <key>`."),
    "api.host": (
        "This server only accepts local requests.",
        "Use http://127.0.0.1, or start it with --host and a key.",
    ),
    "api.path": ("There is nothing at {path}.", "Use /v1/chat/completions, /v1/models, /health or /metrics."),
    "api.method": ("{path} does not accept {method}.", "Use another method."),
    "api.model": ("“{model}” is not served here.", "Use “{served}”, or list models with /v1/models."),
    "api.slow": ("The request body did not arrive.", "Send it again."),
    "api.large": ("The request is larger than {limit}.", "Send a shorter conversation."),
    "api.not_json": ("The request body is not declared as JSON.", "Send `Content-Type: application/json`."),
    "api.json": ("The request body is not valid JSON: {reason}", "Correct it and send it again."),
    "api.full": ("{count} requests are already running or queued.", "Try again shortly."),
    "api.restarting": ("The model is starting.", "Try again shortly."),
    "api.stopping": ("The server is stopping.", "Retry once it is running again."),
    "api.broken": ("The model stopped while answering.", "Retry: it is restarting."),
    "api.unsupported": ("`{name}` is not supported by this server.", "Remove it."),
    "api.top_logprobs": ("`top_logprobs` needs `logprobs`.", "Set `logprobs` to true."),
    "api.no_text": ("Only text is supported; this message part is of type “{kind}”.", "Send parts of type text."),
    "api.surrogate": ("The text contains an invalid character (lone surrogate).", "Send whole Unicode characters."),
    "api.key_needed": (
        "Listening beyond this machine needs an API key, and {name} is empty.",
        "Set {name} to a strong key, or listen on 127.0.0.1.",
    ),
    "api.port_taken": (
        "Can't listen on {host}:{port}: {reason}.",
        "Choose another port, or stop the program using it.",
    ),
    "api.served": ("“{model}” is already served at {url}.", "Use that address, or stop it first."),
    "serve.rows": (
        "“{model}” can't serve parallel requests: its graph does not support batching.",
        "Serve its original model, or convert it again.",
    ),
}
