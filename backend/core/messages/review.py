"""Sentences about people's review of a teacher's answers."""

MESSAGES: dict[str, tuple[str, str]] = {
    "review.no_teacher": (
        "“{ref}” holds no answers of a teacher.",
        "Let a teacher answer its rows, or check the dataset and review the rows that the check doubts.",
    ),
    "review.row_unknown": (
        "“{ref}” has no answer to review in the row “{row}”.",
        "Load the page again.",
    ),
    "review.label_unknown": (
        "“{answer}” is none of the labels of “{ref}”.",
        "Choose one of the list.",
    ),
    "review.report_other": (
        "“{report}” is no check of “{ref}”.",
        "Check this dataset, and review the rows of that report.",
    ),
    "review.refused": (
        "The decision was not sent by a page of this studio.",
        "Open the studio's own address and decide there.",
    ),
    "review.unreadable": ("The decision can't be read.", "Load the page again."),
    "review.none": (
        "Nobody has decided on a row of “{ref}” yet.",
        "Accept or reject some answers on the page Review first.",
    ),
    "review.pending": (
        "“{ref}” is not made yet, so nobody can have reviewed it.",
        "Run that stage first, review its answers, then run this one.",
    ),
    "review.file_missing": ("The decisions “{file}” can't be read.", "Export them once more from the page Review."),
    "review.file_line": (
        "Line {line} of “{file}” is no decision.",
        "Export the decisions once more from the page Review, as JSON lines.",
    ),
    "review.other_rows": (
        "None of the {count} decisions is about a row of “{ref}”.",
        "They belong to another dataset: choose that one.",
    ),
    "review.nothing_left": (
        "No training row of “{ref}” is left: all were rejected or not reviewed.",
        "Keep the rows that nobody has reviewed, or accept some.",
    ),
}
