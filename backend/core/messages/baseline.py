"""Sentences about the quick baseline: whether tuning is right for the data."""

NOTES = frozenset({"baseline.beaten", "baseline.left_out_calls", "baseline.left_out_no_train"})

MESSAGES: dict[str, tuple[str, str]] = {
    "baseline.few_distinct": (
        "Only {distinct} of {rows} examples are distinct: a model would overfit and no test is meaningful.",
        "Collect at least {least} distinct examples, ideally hundreds.",
    ),
    "baseline.few_tested": (
        "Only {rows} distinct test rows: too few to measure (minimum {least}).",
        "Add examples, or raise the test share.",
    ),
    "baseline.classifier_enough": (
        "A simple classifier already gets {percent}% of unseen rows right: fine-tuning may add little.",
        "Use the classifier, unless you need free text or one model for several tasks.",
    ),
    "baseline.nearest_enough": (
        "Copying the nearest training row's answer is right for {percent}% of unseen rows: search is enough.",
        "Fine-tune only if new questions will differ more from these.",
    ),
    "baseline.no_signal": (
        "A simple classifier ({percent}%) doesn't beat the most common label ({majority}%).",
        "Read twenty rows. If a person can infer the label, fine-tune; otherwise fix the labels.",
    ),
    "baseline.label_room": (
        "A simple classifier gets {percent}% of unseen rows right: fine-tuning can improve on it.",
        "Fine-tune if the gain is worth it; this is the figure to beat.",
    ),
    "baseline.text_room": (
        "The nearest training row's answer reaches only {percent}% token F1: answers have to be written.",
        "Fine-tuning suits this data; this is the figure to beat.",
    ),
    "baseline.naive_gap": (
        "A naive random split would show {naive}%; without copies in training it is {honest}%.",
        "Trust the second figure.",
    ),
    "baseline.sampled": (
        "Measured on {measured} of {rows} rows, taken at random.",
        "More rows would barely change the figures.",
    ),
    # beside a model, on the same rows
    "baseline.beaten": ("{measure} {model}%, vs. {baseline}% for the quick baseline ({method}).", ""),
    "baseline.by_chance": (
        "{measure} {model}%, vs. {baseline}% for the quick baseline ({method}): may be chance.",
        "Evaluate on more rows before relying on the difference.",
    ),
    "baseline.not_beaten": (
        "{measure} {model}%: no better than a quick baseline without a language model ({method}, {baseline}%).",
        "Use the baseline, or improve data and training first.",
    ),
    "baseline.left_out_trained_on": (
        "No quick baseline: it trains on the evaluated rows.",
        "Evaluate on validation or test rows.",
    ),
    "baseline.left_out_calls": ("No quick baseline: the answers are tool calls.", ""),
    "baseline.left_out_no_train": ("No quick baseline: the dataset has no training rows with answers.", ""),
}
