"""Sentences about a teacher's reasoning, adapters on students, and teachers that are wrong too often."""

MESSAGES: dict[str, tuple[str, str]] = {
    "steps.none": (
        "“{data}” has no rationales to train on.",
        "Let a teacher answer again with “Request rationales”, or don't train on them.",
    ),
    "teacher.weak": (
        "Only {right} of {known} comparable answers of “{teacher}” are correct ({percent}%). "
        "In measured runs, 96% helped, 90% made no difference, 79% cost ten points.",
        "Improve the teacher, filter out answers that differ from human labels, or train on labelled rows.",
    ),
    "train.unread": (
        "This value has no effect with the other settings.",
        "Remove it, or change the setting above.",
    ),
}
