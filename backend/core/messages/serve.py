"""Sentences about models that are loaded to chat."""

MESSAGES: dict[str, tuple[str, str]] = {
    "serve.no_host": (
        "The model server is not running.",
        "Start the studio with `slmops studio`, or wait for it to restart.",
    ),
    "serve.second_host": (
        "Another model server is running in {home}.",
        "Use that one, or stop it first.",
    ),
    "serve.memory_models": (
        "“{model}” needs about {need} of memory: {missing} short.",
        "Unload “{others}”, or load it anyway (may slow the machine).",
    ),
    "serve.memory_busy": (
        "“{model}” needs about {need} of memory: {missing} short while job {job} ({stage}) runs.",
        "Wait for the job to finish, or load it anyway (slow; the system may kill one of them).",
    ),
    "serve.memory_short": (
        "“{model}” needs about {need} of memory: {missing} short.",
        "Close other programs, choose a smaller model, or load it anyway (slow).",
    ),
    "serve.model_failed": (
        "The process of “{model}” ended: {reason}",
        "Load it again; see logs/serve.log in SLMOPS_HOME.",
    ),
    "serve.model_ended": (
        "The process of “{model}” ended with code {code}.",
        "Load it again; see logs/serve.log in SLMOPS_HOME.",
    ),
    "serve.model_killed": (
        "The process of “{model}” was killed ({signal}), probably out of memory.",
        "Close other programs or choose a smaller model, then load it again.",
    ),
    "serve.unloaded": ("“{model}” was unloaded to free memory.", "Retry to reload it."),
    "serve.prompt_long": (
        "The conversation has {tokens} tokens; the context is {context}, including the answer.",
        "Shorten the text or start a new conversation.",
    ),
    "serve.template": (
        "The chat template of “{model}” refuses these messages: {reason}",
        "Start a new conversation, with or without a system prompt.",
    ),
    "serve.broken": ("The answer was interrupted.", "Retry."),
}
