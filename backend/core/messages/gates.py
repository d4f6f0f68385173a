"""Sentences about what a check of a dataset found."""

from backend.core.messages.plurals import plural

NOTES = frozenset({"gates.sketched", "gates.near_sampled"})

MESSAGES: dict[str, tuple[str, str]] = {
    "gates.one_class": (
        "All {count} answers are the same: “{label}”.",
        "Add rows of other classes.",
    ),
    "gates.too_many_classes": (
        "{classes} classes for {rows} rows: the median class has {middle}.",
        "Merge classes or add rows, at least five of each.",
    ),
    "gates.rare_classes": (
        "Classes with fewer than {least} of {rows} rows: {named}. Too few to learn or measure.",
        "Add rows, or merge them with other classes.",
    ),
    "gates.imbalance": (
        "{share}% of answers are “{label}”: always predicting it looks accurate.",
        "Add rows of other classes, and use macro F1 instead of accuracy.",
    ),
    "gates.label_variants": (
        plural(
            "Label spelling variants, in {count} row: {merges}.",
            "Label spelling variants, in {count} rows: {merges}.",
        ),
        "Merge them with the `merge_labels` fix; accented spellings win.",
    ),
    "gates.contradictions": (
        plural(
            "{count} row shares an input but has a different label.",
            "{count} rows share an input but have different labels.",
        ),
        "Correct them, or drop them with the `drop_contradictions` fix.",
    ),
    "gates.several_answers": (
        plural(
            "{count} row shares an input but has a different answer.",
            "{count} rows share an input but have different answers.",
        ),
        "Fine if several answers are right; otherwise use the `drop_contradictions` fix.",
    ),
    "gates.duplicates": (
        "{count} of {rows} rows are duplicates within their split.",
        "Drop the copies with the `drop_duplicates` fix.",
    ),
    "gates.near_duplicates": (
        "{count} of {rows} rows are near duplicates (similarity {threshold} or more).",
        "Drop them with the `drop_near_duplicates` fix, or accept them if single words matter.",
    ),
    "gates.leaks": (
        "{count} of {rows} validation and test rows leak from another split: {same} "
        "identical, {near} near duplicates, {context} with a shared context.",
        "Drop the copies with the `drop_leaks` fix, or scores will be too high.",
    ),
    "gates.wrong_labels": (
        "{count} of {rows} rows probably have a wrong label.",
        "Review and correct them, or drop them with the `drop_rows` fix.",
    ),
    "gates.empty": (
        plural("{count} row has an empty input or answer.", "{count} rows have an empty input or answer."),
        "Drop them with the `drop_empty` fix.",
    ),
    "gates.lengths": (
        "Unusually long rows: {long}; unusually short: {short}.",
        "Check for merged rows, or drop them with the `drop_rows` fix.",
    ),
    "gates.language": (
        plural(
            "{count} row is in another language ({languages}) than the rest ({own}).",
            "{count} rows are in another language ({languages}) than the rest ({own}).",
        ),
        "Drop them with the `drop_rows` fix, or accept them.",
    ),
    "gates.encoding": (
        plural(
            "{count} row contains damaged characters, {lost} of them beyond repair.",
            "{count} rows contain damaged characters, {lost} of them beyond repair.",
        ),
        "Repair them with the `repair_encoding` fix; restore lost characters from the source.",
    ),
    "gates.personal": (
        plural(
            "{count} row contains personal data: {found}. Names and addresses are not checked.",
            "{count} rows contain personal data: {found}. Names and addresses are not checked.",
        ),
        "Mask it with the `mask_personal` fix, or accept it with a reason.",
    ),
    "gates.secrets": (
        plural("{count} row contains keys or passwords: {found}.", "{count} rows contain keys or passwords: {found}."),
        "Mask them with the `mask_secrets` fix, and rotate any still in use.",
    ),
    "gates.control_tokens": (
        plural(
            "{count} row contains chat template control tokens: {found}. Treated as plain text.",
            "{count} rows contain chat template control tokens: {found}. Treated as plain text.",
        ),
        "If left by another tool, drop the rows with the `drop_rows` fix.",
    ),
    "gates.html": (
        plural("{count} row contains HTML: {found}.", "{count} rows contain HTML: {found}."),
        "Remove it with the `strip_html` fix, unless it should be learned.",
    ),
    "gates.template_rests": (
        plural(
            "{count} row contains template placeholders or unfinished text: {found}.",
            "{count} rows contain template placeholders or unfinished text: {found}.",
        ),
        "Complete them at the source, or drop the rows with the `drop_rows` fix.",
    ),
    "gates.injection": (
        plural(
            "{count} row contains instructions to a model: {found}.",
            "{count} rows contain instructions to a model: {found}.",
        ),
        "Drop them with the `drop_rows` fix, unless the model should recognize them.",
    ),
    "gates.declining": (
        plural(
            "{count} answer is a refusal or assistant boilerplate: {found}.",
            "{count} answers are refusals or assistant boilerplate: {found}.",
        ),
        "Drop them with the `drop_rows` fix: models pick them up fast.",
    ),
    "gates.tokens": (
        "{count} of {rows} rows exceed {limit} tokens; longest {longest}, 95th percentile {p95}.",
        "Raise the maximum length if the model allows it, or drop them with the `drop_rows` fix.",
    ),
    "gates.stopped": (
        "“{ref}” is not ready for training: {gates}.",
        "Apply the fixes listed in the log, or accept findings in `accepted` as gate=reason.",
    ),
    # what did not run
    "gates.left_out": ("“{gate}” was skipped.", "Check again without skipping it."),
    "gates.no_model": ("“{gate}” was not checked: no model selected.", "Check with a model to count tokens."),
    "gates.sketched": (
        "Over {most} rows, near duplicates are found by sampling.",
        "Take the count as a minimum: where most rows are alike, many are missed.",
    ),
    "gates.near_sampled": (
        "Too many rows: only one in {every} was searched for near duplicates within its split.",
        "",
    ),
    "gates.sampled": (
        "“{gate}” checked only a sample: {looked} of {rows} rows.",
        "Check the dataset to cover all rows.",
    ),
    # parameters
    "gates.length_no_model": (
        "A maximum length in tokens needs a model.",
        "Choose a model, or set it to 0.",
    ),
    "gates.accept_form": ("“{text}” does not have the form gate=reason.", "Write, for example, personal=agreed."),
    "gates.no_fixes": ("No fix selected.", "Choose at least one."),
    "gates.no_rows_named": (
        "`drop_rows` needs a list of rows.",
        "Set a report and its gates, or row ids.",
    ),
    "gates.report_other": ("“{ref}” is not a “Check data” report.", "Choose a “Check data” report."),
    "gates.nothing_left": ("No training rows of “{ref}” left after the fixes.", "Choose fewer fixes."),
    "gates.personal_leaves": (
        plural(
            "{count} row of “{ref}” contains personal data or keys and will be sent to an endpoint.",
            "{count} rows of “{ref}” contain personal data or keys and will be sent to an endpoint.",
        ),
        "If they must stay on this machine, mask them first with “Clean data”.",
    ),
}
