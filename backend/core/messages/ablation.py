"""Sentences about the ways from a teacher to a student, and about comparing them."""

MESSAGES: dict[str, tuple[str, str]] = {
    "method.answers": (
        "The student learns the answers of “{teacher}” as text.",
        "Works with every teacher, and needs nothing else of it.",
    ),
    "method.people": (
        "The student learns the answers that the rows have.",
        "No teacher had a part in them.",
    ),
    "method.same": (
        "The student also learns how sure “{teacher}” is of every token.",
        "Both split text into the same tokens.",
    ),
    "method.part": (
        "The student also learns how sure “{teacher}” is of every token.",
        "Its {student} tokens are a part of the teacher's {tokens}.",
    ),
    "method.no_teacher": (
        "No teacher answered these rows, so there is nobody whose probabilities could be learned.",
        "Choose a dataset with a teacher's answers.",
    ),
    "method.endpoint": (
        "“{teacher}” is no model of this studio, and endpoints give few probabilities or none.",
        "Learn from its answers, or let a model that runs here answer.",
    ),
    "method.onnx": (
        "“{teacher}” is an ONNX model, of which no probabilities are captured.",
        "Let the model answer that it was converted from.",
    ),
    "method.tokens": (
        "{lacking} of the student's {student} tokens are unknown to “{teacher}”: their probabilities don't compare.",
        "Choose a student that was made from this teacher, or learn from its answers.",
    ),
    "method.chat_template": (
        "“{teacher}” marks the turns of a conversation in another way than the student.",
        "Choose a student that was made from this teacher, or learn from its answers.",
    ),
    "method.why_offline_logit": (
        "Probabilities usually teach more than answers alone, and here they can be had.",
        "An ablation shows whether they do on your data.",
    ),
    "method.why_sequence": (
        "It works with every teacher and takes the least.",
        "The list says what the other ways lack here, or what they take.",
    ),
}
