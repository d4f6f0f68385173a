"""Sentences about the distillation methods that hold the teacher in memory."""

MESSAGES: dict[str, tuple[str, str]] = {
    "method.unread": (
        "This value has no effect with the selected method.",
        "Remove it, or choose another method.",
    ),
    "method.capture_missing": (
        "This method needs a capture.",
        "Choose or create a capture of the dataset, or keep the teacher in memory.",
    ),
    "method.teacher_missing": (
        "This method needs a local teacher.",
        "Choose a model or an adapter. Endpoints and ONNX models give too few probabilities.",
    ),
    "method.itself": (
        "A student can't be its own teacher.",
        "Choose its unpruned model, or another strong one.",
    ),
    "method.no_weight": (
        "With weight 0 the teacher has no effect.",
        "Raise the teacher's weight, or train on answers only.",
    ),
    "method.alike": (
        "The student shares the tokenizer of “{teacher}”: no translation needed.",
        "Keep the teacher in memory: its probabilities compare one to one.",
    ),
    "method.not_bytes": (
        "Tokens of “{teacher}” and the student can't be aligned: both need byte-level tokenizers.",
        "Train on its answers.",
    ),
    "method.not_pruned": (
        "The student was not pruned from “{teacher}”: layers don't correspond.",
        "Choose an untrained student pruned from this teacher, or another method.",
    ),
    "method.other_layers": (
        "The layers of “{teacher}” don't match the student's original model.",
        "Choose its original model, or a fine-tuned version.",
    ),
    "method.online_logit": (
        "“{teacher}” scores every token during training: full distribution, no capture.",
        "It stays in memory throughout.",
    ),
    "method.on_policy": (
        "The student also generates answers and “{teacher}” scores them: it learns from its own mistakes.",
        "Slowest; helps most with long answers.",
    ),
    "method.cross_tokenizer": (
        "“{teacher}” uses a different tokenizer; probabilities are aligned where tokens end together.",
        "Less accurate than with a shared vocabulary.",
    ),
    "method.hidden_states": (
        "Each student layer learns to reproduce the pruned layers of “{teacher}” behind it.",
        "Helps most right after pruning.",
    ),
    "method.why_online_logit": (
        "Probabilities usually teach more than answers; the teacher fits in memory, a capture does not fit on disk.",
        "Run an ablation to confirm it on your data.",
    ),
}
