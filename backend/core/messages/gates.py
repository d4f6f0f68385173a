"""Sentences about what a check of a dataset found."""

from backend.core.messages.plurals import plural

NOTES = frozenset({"gates.sketched", "gates.near_sampled"})

MESSAGES: dict[str, tuple[str, str]] = {
    "gates.one_class": (
        "All {count} answers are the same: “{label}”.",
        "Add rows of other classes: there is nothing to tell apart.",
    ),
    "gates.too_many_classes": (
        "{classes} classes for {rows} rows: the middle one has {middle}.",
        "Merge classes or add rows, at least five of each.",
    ),
    "gates.rare_classes": (
        "Classes with fewer than {least} of {rows} rows: {named}. They can't be learned or measured well.",
        "Add rows of them, or merge them with others.",
    ),
    "gates.imbalance": (
        "{share} % of the answers are “{label}”: a model that always says so looks good.",
        "Add rows of the others, and look at macro-F1 instead of accuracy.",
    ),
    "gates.label_variants": (
        plural(
            "Labels written in several ways, in {count} row: {merges}.",
            "Labels written in several ways, in {count} rows: {merges}.",
        ),
        "Merge them with the fix `merge_labels`.",
    ),
    "gates.contradictions": (
        plural(
            "{count} row has the input of another row and a different label.",
            "{count} rows have the input of another row and a different label.",
        ),
        "Correct them, or drop them with the fix `drop_contradictions`.",
    ),
    "gates.several_answers": (
        plural(
            "{count} row has the input of another row and a different answer.",
            "{count} rows have the input of another row and a different answer.",
        ),
        "That is fine where several answers are right; the fix `drop_contradictions` drops them.",
    ),
    "gates.duplicates": (
        "{count} of {rows} rows repeat another one of their split.",
        "Drop the copies with the fix `drop_duplicates`.",
    ),
    "gates.near_duplicates": (
        "{count} of {rows} rows are near copies of another one (likeness {threshold} or more).",
        "Drop them with the fix `drop_near_duplicates`, or accept them where a single word matters.",
    ),
    "gates.leaks": (
        "{count} of {rows} rows that measure are known from another split: {same} the same, {near} nearly, {context} by a "
        "shared context.",
        "Drop the other copies with the fix `drop_leaks`, or the score will be too good.",
    ),
    "gates.wrong_labels": (
        "{count} of {rows} rows probably have a wrong label.",
        "Look at them and correct them, or drop them with the fix `drop_rows`.",
    ),
    "gates.empty": (
        plural(
            "{count} row has nothing in its input or answer.", "{count} rows have nothing in their input or answer."
        ),
        "Drop them with the fix `drop_empty`.",
    ),
    "gates.lengths": (
        "Rows that are far longer than the rest: {long}; far shorter: {short}.",
        "Look whether several rows ran into one; the fix `drop_rows` drops them.",
    ),
    "gates.language": (
        plural(
            "{count} row is in another language ({languages}) than the rest ({own}).",
            "{count} rows are in another language ({languages}) than the rest ({own}).",
        ),
        "Drop them with the fix `drop_rows`, or accept them.",
    ),
    "gates.encoding": (
        plural(
            "{count} row holds damaged characters, {lost} of them beyond repair.",
            "{count} rows hold damaged characters, {lost} of them beyond repair.",
        ),
        "Repair them with the fix `repair_encoding`; what is lost has to come from the source.",
    ),
    "gates.personal": (
        plural(
            "{count} row holds personal data: {found}. Names and addresses are not looked for.",
            "{count} rows hold personal data: {found}. Names and addresses are not looked for.",
        ),
        "Mask it with the fix `mask_personal`, or accept it with a reason.",
    ),
    "gates.secrets": (
        plural("{count} row holds keys or passwords: {found}.", "{count} rows hold keys or passwords: {found}."),
        "Mask them with the fix `mask_secrets`, and renew them where they are in use.",
    ),
    "gates.control_tokens": (
        plural(
            "{count} row holds control tokens of chat templates: {found}. They are taken as plain text.",
            "{count} rows hold control tokens of chat templates: {found}. They are taken as plain text.",
        ),
        "If another tool left them there, drop the rows with the fix `drop_rows`.",
    ),
    "gates.html": (
        plural("{count} row holds HTML: {found}.", "{count} rows hold HTML: {found}."),
        "Take it out with the fix `strip_html`, unless it is to be learned.",
    ),
    "gates.template_rests": (
        plural(
            "{count} row holds open places of a template or unfinished text: {found}.",
            "{count} rows hold open places of a template or unfinished text: {found}.",
        ),
        "Fill them at the source, or drop the rows with the fix `drop_rows`.",
    ),
    "gates.injection": (
        plural(
            "{count} row holds phrases that command a model: {found}.",
            "{count} rows hold phrases that command a model: {found}.",
        ),
        "Drop them with the fix `drop_rows`, unless they are to be recognised.",
    ),
    "gates.declining": (
        plural(
            "{count} answer declines the task or speaks as an assistant: {found}.",
            "{count} answers decline the task or speak as an assistant: {found}.",
        ),
        "Drop them with the fix `drop_rows`: a model learns them fast.",
    ),
    "gates.tokens": (
        "{count} of {rows} rows are longer than {limit} tokens; the longest has {longest}, and 95 % have at most {p95}.",
        "Raise the maximum length if the model can read more, or drop them with the fix `drop_rows`.",
    ),
    "gates.stopped": (
        "“{ref}” is not ready to be trained on: {gates}.",
        "Clean it with the fixes that the log names, or list what may stay in `accepted`, as gate=reason.",
    ),
    # what did not run
    "gates.left_out": ("“{gate}” was left out.", "Check again without leaving it out."),
    "gates.no_model": ("“{gate}” was not checked: no model was given.", "Check with a model to count its tokens."),
    "gates.sketched": (
        "With more than {most} rows, near copies are looked for by samples of their text.",
        "Take their count as the least: where most rows are alike, many are missed.",
    ),
    "gates.near_sampled": (
        "Only one in {every} rows was searched for near copies within its split: there are too many rows.",
        "",
    ),
    "gates.sampled": (
        "“{gate}” looked at a sample only: {looked} of {rows} rows.",
        "Check the dataset to look at all rows.",
    ),
    # parameters
    "gates.length_no_model": (
        "A maximum length counts tokens, and no model is given.",
        "Choose a model, or leave it at 0.",
    ),
    "gates.accept_form": ("“{text}” is not of the form gate=reason.", "Write, for example, personal=agreed."),
    "gates.no_fixes": ("No fix was chosen.", "Choose at least one."),
    "gates.no_rows_named": (
        "`drop_rows` needs to know which rows.",
        "Give a report and its gates, or ids of rows.",
    ),
    "gates.report_other": ("“{ref}” is no report of the stage Check data.", "Choose one that is."),
    "gates.nothing_left": ("No training row of “{ref}” is left after the fixes.", "Choose fewer fixes."),
    "gates.personal_leaves": (
        plural(
            "{count} row of “{ref}” holds personal data or keys, and will be sent to an endpoint.",
            "{count} rows of “{ref}” hold personal data or keys, and will be sent to an endpoint.",
        ),
        "If they must not leave this machine, mask them first with the stage Clean data.",
    ),
}
