"""Sentences about checkpoints."""

MESSAGES: dict[str, tuple[str, str]] = {
    "checkpoints.gone": (
        "Job {job} has no checkpoint of step {step}.",
        "List its checkpoints. Deleted ones can't be brought back.",
    ),
    "checkpoints.not_training": (
        "Job {job} trained nothing: its stage is {stage}.",
        "Choose a job that fine-tunes or distils.",
    ),
}
