"""Sentences about chat templates, special tokens and the end of a model's turn."""

MESSAGES: dict[str, tuple[str, str]] = {
    "talk.no_end": (
        "None of this model's files names an end-of-turn token.",
        "Set it as “end” in a conversation.json next to tokenizer.json.",
    ),
    "talk.unknown_end": (
        "The tokenizer has no token “{end}” to end a turn.",
        "Name one of the tokens in its tokenizer.json.",
    ),
    "talk.syntax": ("The chat template is invalid in line {line}: {reason}", "Correct the template."),
    "talk.refused": (
        "The chat template refuses a question with a system message: {reason}",
        "Correct the template, or choose the one of a family.",
    ),
    "talk.endless": (
        "The chat template does not come to an end ({seconds} seconds of processor time).",
        "Correct the template, or choose the one of a family.",
    ),
    "talk.question_lost": (
        "The chat template leaves the question out of the prompt.",
        "Correct the template, or choose the one of a family.",
    ),
    "talk.not_editable": (
        "The conversation of “{model}” is part of what it was made into.",
        "Edit the model that it was made from, and make it again.",
    ),
    "talk.family": ("“{family}” is no family of chat templates.", "Choose one of {known}."),
    "talk.no_change": ("Nothing is to be changed.", "Name an end of turn, a template or a family."),
    "talk.no_template": (
        "This model has no chat template; roles are written as plain words.",
        "If it was trained for chat, add its chat_template.jinja and import it again.",
    ),
    "talk.named_templates": (
        "{file} contains several chat templates ({names}); “{used}” is used.",
        "To use another, save it as chat_template.jinja and import again.",
    ),
    "talk.templates_differ": (
        "{used} and {other} contain different chat templates; {used} is used.",
        "To use the other, delete the first and import again.",
    ),
    "talk.tokens_differ": (
        "{place} and {other} name different {role} tokens: {used} and {named}.",
        "{used} is used.",
    ),
    "talk.end_differs": (
        "The chat template ends a turn with {end}; the tokenizer expects {eos}.",
        "Answers stop at both; training uses {end}.",
    ),
    "talk.end_missing": (
        "{file} stops at {named}, but the turn ends with {end}.",
        "Answers stop at all of them.",
    ),
    "talk.system_folded": (
        "The chat template has no system turn.",
        "System messages become part of the first user message.",
    ),
    "talk.truncation": (
        "tokenizer.json would cut texts to {length} tokens.",
        "This saved setting is ignored.",
    ),
    "talk.padding": ("tokenizer.json would pad texts.", "This saved setting is ignored."),
}
