"""Sentences about the routes that hold a teacher beside the student."""

MESSAGES: dict[str, tuple[str, str]] = {
    "route.unread": (
        "This value has no effect on the way to learn that was chosen.",
        "Leave it out, or choose another way.",
    ),
    "route.capture_missing": (
        "This way learns from a capture, and none was chosen.",
        "Choose a capture of the dataset, make one, or let the teacher run beside the student.",
    ),
    "route.teacher_missing": (
        "This way needs a teacher that runs here beside the student, and none was chosen.",
        "Choose a model or an adapter. Endpoints and ONNX models give too few probabilities.",
    ),
    "route.itself": (
        "A student can't be its own teacher.",
        "Choose the model that it was cut from, or another one that answers well.",
    ),
    "route.no_weight": (
        "With the weight 0 the teacher has no part in what is learned.",
        "Raise the weight of the teacher, or learn from the answers alone.",
    ),
    "route.alike": (
        "The student splits text into the same tokens as “{teacher}”, so nothing has to be translated.",
        "Let the teacher run beside the student: its probabilities then compare one by one.",
    ),
    "route.not_bytes": (
        "The tokens of “{teacher}” and of the student can't be laid side by side: only those of byte-level tokenizers can.",
        "Learn from its answers.",
    ),
    "route.not_cut": (
        "The student was not cut from “{teacher}”, so its layers have no counterpart there.",
        "Choose a student that was cut from this teacher and not trained since, or another way to learn.",
    ),
    "route.other_layers": (
        "The layers of “{teacher}” are not those that the student was cut from.",
        "Choose the model that it was cut from, or one that was tuned from it.",
    ),
    "route.live": (
        "“{teacher}” scores every token while the student learns: its whole distribution, and no capture is needed.",
        "It stays in memory all the while.",
    ),
    "route.on_policy": (
        "The student also answers itself, and “{teacher}” scores what it says: it learns from its own mistakes.",
        "Takes longest, and helps most where answers are long.",
    ),
    "route.cross_tokenizer": (
        "“{teacher}” splits text into other tokens; its probabilities are translated where both end at the same place.",
        "They come over less exactly than with one vocabulary.",
    ),
    "route.hidden": (
        "Each layer of the student learns to do what the layers of “{teacher}” did that were cut behind it.",
        "Helps most right after the cut.",
    ),
    "route.why_live": (
        "Probabilities usually teach more than answers alone, and here there is memory for the teacher but no room for a "
        "capture.",
        "An ablation shows whether they do on your data.",
    ),
}
