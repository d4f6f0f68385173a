"""Sentences about models that are loaded to chat."""

MESSAGES: dict[str, tuple[str, str]] = {
    "serve.no_host": (
        "The process that loads models for chatting does not run.",
        "Start the studio with `slmops studio`, or wait a moment while it starts again.",
    ),
    "serve.second_host": (
        "Another host of models is at work in {home}.",
        "Use that one, or end it first.",
    ),
    "serve.memory_models": (
        "“{model}” needs about {need} of memory; {missing} are missing.",
        "Unload “{others}”, or load it anyway: the machine becomes slow.",
    ),
    "serve.memory_busy": (
        "“{model}” needs about {need} of memory; {missing} are missing while job {job} ({stage}) is at work.",
        "Wait for the end of the job, or load the model all the same: both become slow, and one may be ended.",
    ),
    "serve.memory_short": (
        "“{model}” needs about {need} of memory; {missing} are missing.",
        "Close other programs or choose a smaller model, or load it all the same: the machine becomes slow.",
    ),
    "serve.model_failed": (
        "The process of “{model}” ended: {reason}",
        "Load the model again; the log is logs/serve.log in SLMOPS_HOME.",
    ),
    "serve.model_ended": (
        "The process of “{model}” ended with the code {code} and said nothing.",
        "Load the model again; the log is logs/serve.log in SLMOPS_HOME.",
    ),
    "serve.model_killed": (
        "The process of “{model}” was killed ({signal}); most often the machine ran out of memory.",
        "Close other programs or choose a smaller model, then load it again.",
    ),
    "serve.unloaded": ("“{model}” was unloaded meanwhile.", "Ask again: it is loaded anew."),
    "serve.prompt_long": (
        "The conversation has {tokens} tokens, and the model can read {context} with its answer.",
        "Shorten the text or start a new conversation.",
    ),
    "serve.template": (
        "The chat template of “{model}” refuses these messages: {reason}",
        "Start a new conversation, with or without a system prompt.",
    ),
    "serve.broken": ("The answer broke off.", "Ask again."),
}
