"""Sentences about a teacher's steps, adapters on students, and teachers that are wrong too often."""

MESSAGES: dict[str, tuple[str, str]] = {
    "steps.none": (
        "“{data}” holds no steps that the model could learn.",
        "Let a teacher answer again and ask it for its steps, or leave the steps out.",
    ),
    "train.unread": (
        "This value has no effect beside the others that were chosen.",
        "Leave it out, or choose otherwise above.",
    ),
}
