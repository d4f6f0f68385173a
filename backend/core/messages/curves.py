"""Sentences about how a training went: what its curves and rows show, and the remedy."""

HARDLY_TRAINED = ("curve.hardly_trained", "curve.few_rows")
"""Hints that make a result doubtful, and so are shown as warnings."""
MESSAGES: dict[str, tuple[str, str]] = {
    "curve.not_a_number": (
        "The loss is not a number at step {step}.",
        "Lower the learning rate, or choose a longer warm-up.",
    ),
    "curve.diverged": (
        "Training diverged: its loss rose from {lowest} to {last}.",
        "Lower the learning rate of {rate}; a third of it is a good next try.",
    ),
    "curve.unsteady": (
        "The training loss jumps: the learning rate of {rate} is probably too high.",
        "Lower it, or raise batch size or gradient accumulation.",
    ),
    "curve.flat": (
        "The training loss hardly fell at a learning rate of {rate}.",
        "Raise the learning rate, and check that answers follow from their inputs.",
    ),
    "curve.unfinished": (
        "The loss was still falling at the end.",
        "Train for more epochs, or raise the learning rate.",
    ),
    "curve.overfit": (
        "Overfitting: the validation loss was {best} at step {step} and {last} at the end.",
        "Keep the best weights, train for fewer epochs, or add rows.",
    ),
    "curve.hardly_trained": (
        "Hardly trained: {steps} updates on {rows} rows.",
        "Train for more epochs, lower gradient accumulation, or add rows.",
    ),
    "curve.few_rows": (
        "Only {rows} training rows: the result may not generalize.",
        "Add rows, or let a teacher answer more inputs.",
    ),
    "curve.left_out": (
        "{count} of {rows} rows were left out: their answers exceed {max_length} tokens.",
        "Raise the maximum length.",
    ),
    "curve.unbalanced": (
        "{percent}% of the training rows have the same answer.",
        "Add rows with other answers, or thin out the commonest.",
    ),
}
