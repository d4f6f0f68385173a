"""Sentences about the ways from a teacher to a student, and about comparing them."""

MESSAGES: dict[str, tuple[str, str]] = {
    "method.answers": (
        "The student trains on the answers of “{teacher}” as text.",
        "Works with any teacher.",
    ),
    "method.people": (
        "The student trains on the labelled answers.",
        "No teacher is involved.",
    ),
    "method.same": (
        "The student also learns how confident “{teacher}” is in every token.",
        "Both use the same tokenizer.",
    ),
    "method.part": (
        "The student also learns how confident “{teacher}” is in every token.",
        "Its {student} tokens are a subset of the teacher's {tokens}.",
    ),
    "method.no_teacher": (
        "No teacher answered these rows: no probabilities available.",
        "Choose a dataset with a teacher's answers.",
    ),
    "method.endpoint": (
        "“{teacher}” is not a local model; endpoints give few probabilities or none.",
        "Train on its answers, or use a local teacher.",
    ),
    "method.onnx": (
        "“{teacher}” is an ONNX model: probabilities can't be captured.",
        "Use the original model as teacher.",
    ),
    "method.tokens": (
        "“{teacher}” lacks {lacking} of the student's {student} tokens: probabilities can't be compared.",
        "Choose a student derived from this teacher, or train on its answers.",
    ),
    "method.chat_template": (
        "“{teacher}” and the student use different chat templates.",
        "Choose a student derived from this teacher, or train on its answers.",
    ),
    "method.why_offline_logit": (
        "Probabilities usually teach more than answers alone.",
        "Run an ablation to confirm it on your data.",
    ),
    "method.why_sequence": (
        "Works with any teacher and has the fewest requirements.",
        "The list shows what the other methods need.",
    ),
}
