"""Sentences about the quick baseline: whether tuning is right for the data."""

NOTES = frozenset({"baseline.beaten", "baseline.left_out_calls", "baseline.left_out_no_train"})

MESSAGES: dict[str, tuple[str, str]] = {
    "baseline.few_distinct": (
        "Only {distinct} of {rows} examples are different: a model would overfit them, and no test means anything.",
        "Collect at least {least} different examples; some hundreds are better.",
    ),
    "baseline.few_tested": (
        "Only {rows} different test rows are left to measure on: too few to say anything (at least {least}).",
        "Add examples, or raise the test share.",
    ),
    "baseline.classifier_enough": (
        "A plain classifier already answers {percent} % of unseen rows right: tuning a language model can add little.",
        "Use the classifier, unless you need free answers or one model for several tasks.",
    ),
    "baseline.nearest_enough": (
        "Giving the answer of the nearest training row is right for {percent} % of unseen rows: a search is enough.",
        "Tune a model only if questions will come that differ more from these.",
    ),
    "baseline.no_signal": (
        "A plain classifier is no better ({percent} %) than always giving the commonest label ({majority} %).",
        "Read twenty rows: if a person can tell the label from the text, tuning is right; if not, correct the labels.",
    ),
    "baseline.label_room": (
        "A plain classifier answers {percent} % of unseen rows right: tuning a language model can do better.",
        "Tuning is right if the difference is worth it to you; this is the figure to beat.",
    ),
    "baseline.text_room": (
        "The nearest training row's answer shares {percent} % of its words with the right one (F1): answers must be written.",
        "Tuning is right for such data; this is the figure to beat.",
    ),
    "baseline.naive_gap": (
        "A naive random split would have shown {naive} % right answers; on rows with no copy in training it is {honest} %.",
        "Trust the second figure.",
    ),
    "baseline.sampled": (
        "Measured on {measured} of {rows} rows, taken at random.",
        "More rows would change the figures by little.",
    ),
    # beside a model, on the same rows
    "baseline.beaten": ("{measure} {model} %, against {baseline} % for a quick baseline ({method}).", ""),
    "baseline.by_chance": (
        "{measure} {model} %, against {baseline} % for a quick baseline ({method}): that may be chance.",
        "Measure on more rows before you rely on the difference.",
    ),
    "baseline.not_beaten": (
        "{measure} {model} %: no better than a quick baseline without a language model ({method}, {baseline} %).",
        "Use the baseline, or improve data and training first.",
    ),
    "baseline.left_out_trained_on": (
        "No quick baseline: it learns from the rows that were asked.",
        "Measure on validation or test rows.",
    ),
    "baseline.left_out_calls": ("No quick baseline: the answers are calls of tools.", ""),
    "baseline.left_out_no_train": ("No quick baseline: the dataset has no training rows with answers.", ""),
}
