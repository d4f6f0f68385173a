"""Sentences about people's review of a teacher's answers."""

MESSAGES: dict[str, tuple[str, str]] = {
    "review.no_teacher": (
        "“{ref}” has no teacher answers.",
        "Let a teacher answer its rows, or check it and review flagged rows.",
    ),
    "review.row_unknown": (
        "Row “{row}” of “{ref}” has no answer to review.",
        "Reload the page.",
    ),
    "review.label_unknown": (
        "“{answer}” is not one of the labels of “{ref}”.",
        "Choose one from the list.",
    ),
    "review.report_other": (
        "“{report}” is not a check of “{ref}”.",
        "Check this dataset, and review the rows of that report.",
    ),
    "review.refused": (
        "The decision did not come from this studio.",
        "Open the studio's address and decide there.",
    ),
    "review.unreadable": ("The decision can't be read.", "Reload the page."),
    "review.none": (
        "“{ref}” has no reviewed rows yet.",
        "Review some answers on the Review page first.",
    ),
    "review.pending": (
        "“{ref}” does not exist yet, so it has no review.",
        "Run that stage first, review its answers, then run this one.",
    ),
    "review.file_missing": ("The decisions “{file}” can't be read.", "Export them again from the Review page."),
    "review.file_line": (
        "Line {line} of “{file}” is not a decision.",
        "Export the decisions again from the Review page, as JSON Lines.",
    ),
    "review.other_rows": (
        "None of the {count} decisions matches a row of “{ref}”.",
        "Choose the dataset they belong to.",
    ),
    "review.nothing_left": (
        "No training rows of “{ref}” left: all rejected or unreviewed.",
        "Keep unreviewed rows, or accept some.",
    ),
}
