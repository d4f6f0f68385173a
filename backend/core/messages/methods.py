"""Sentences about the distillation methods that hold the teacher in memory."""

MESSAGES: dict[str, tuple[str, str]] = {
    "method.unread": (
        "This value has no effect on the way to learn that was chosen.",
        "Leave it out, or choose another way.",
    ),
    "method.capture_missing": (
        "This way learns from a capture, and none was chosen.",
        "Choose a capture of the dataset, make one, or let the teacher run beside the student.",
    ),
    "method.teacher_missing": (
        "This way needs a teacher that runs here beside the student, and none was chosen.",
        "Choose a model or an adapter. Endpoints and ONNX models give too few probabilities.",
    ),
    "method.itself": (
        "A student can't be its own teacher.",
        "Choose the model that it was cut from, or another one that answers well.",
    ),
    "method.no_weight": (
        "With the weight 0 the teacher has no part in what is learned.",
        "Raise the weight of the teacher, or learn from the answers alone.",
    ),
    "method.alike": (
        "The student splits text into the same tokens as “{teacher}”, so nothing has to be translated.",
        "Let the teacher run beside the student: its probabilities then compare one by one.",
    ),
    "method.not_bytes": (
        "The tokens of “{teacher}” and of the student can't be laid side by side: only those of byte-level tokenizers can.",
        "Learn from its answers.",
    ),
    "method.not_pruned": (
        "The student was not cut from “{teacher}”, so its layers have no counterpart there.",
        "Choose a student that was cut from this teacher and not trained since, or another way to learn.",
    ),
    "method.other_layers": (
        "The layers of “{teacher}” are not those that the student was cut from.",
        "Choose the model that it was cut from, or one that was tuned from it.",
    ),
    "method.online_logit": (
        "“{teacher}” scores every token while the student learns: its whole distribution, and no capture is needed.",
        "It stays in memory all the while.",
    ),
    "method.on_policy": (
        "The student also answers itself, and “{teacher}” scores what it says: it learns from its own mistakes.",
        "Takes longest, and helps most where answers are long.",
    ),
    "method.cross_tokenizer": (
        "“{teacher}” splits text into other tokens; its probabilities are translated where both end at the same place.",
        "They come over less exactly than with one vocabulary.",
    ),
    "method.hidden_states": (
        "Each layer of the student learns to do what the layers of “{teacher}” did that were cut behind it.",
        "Helps most right after the cut.",
    ),
    "method.why_online_logit": (
        "Probabilities usually teach more than answers alone, and here there is memory for the teacher but no room for a "
        "capture.",
        "An ablation shows whether they do on your data.",
    ),
}
