"""Sentences about the division into train, validation and test, and about the quick baseline."""

_OWN_TEST = "Set a group column or your own test file."

MESSAGES: dict[str, tuple[str, str]] = {
    "split.near_not_checked": (
        "Near duplicates not checked: {rows} rows exceed the import limit ({limit}).",
        "Check the dataset for leaks before trusting its test score.",
    ),
    "split.near_copies": (
        "{count} of {rows} test rows may have near duplicates in training: too many similar rows to separate.",
        _OWN_TEST,
    ),
    "split.contexts_shared": (
        "Rows with a shared context are in several splits: grouping would join {share}% of rows.",
        _OWN_TEST,
    ),
    "split.column_leaks": (
        "{count} training rows leak into validation or test: {same} identical, the others "
        "near duplicates or sharing context or group.",
        "Correct the column, or set “Split by” to “At random”.",
    ),
    "split.no_time": (
        "{count} rows have no readable time; treated as the oldest.",
        "Fix the times in the file.",
    ),
    "split.later_training": (
        "{count} training rows are newer than the first test row: a group spans both.",
        "Leave the group column blank to split purely by time.",
    ),
}
