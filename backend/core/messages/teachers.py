"""Sentences about a teacher's reasoning, adapters on students, and teachers that are wrong too often."""

MESSAGES: dict[str, tuple[str, str]] = {
    "steps.none": (
        "“{data}” holds no steps that the model could learn.",
        "Let a teacher answer again and ask it for its steps, or leave the steps out.",
    ),
    "teacher.weak": (
        "Of {known} answers of “{teacher}” that can be compared with people's, only {right} are right ({percent} %), and the "
        "model would learn its mistakes too: in measured runs 96 % paid, 90 % made no difference, and 79 % cost ten points.",
        "Train the teacher longer or take a larger one, drop the answers that differ from people's (filter the rows), or "
        "learn from the rows that people answered.",
    ),
    "train.unread": (
        "This value has no effect beside the others that were chosen.",
        "Leave it out, or choose otherwise above.",
    ),
}
