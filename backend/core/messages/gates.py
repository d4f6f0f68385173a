"""Sentences about what a check of a dataset found."""

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
        "{classes} classes have fewer than {least} rows: {named}; they can be neither learned nor measured well.",
        "Add rows of them, or merge them with others.",
    ),
    "gates.imbalance": (
        "{share} % of the answers are “{label}”: a model that always says so looks good.",
        "Add rows of the others, and look at macro-F1 instead of accuracy.",
    ),
    "gates.label_variants": (
        "{labels} labels are another one written differently, in {count} rows: {merges}.",
        "Merge the labels (fix `merge_labels`).",
    ),
    "gates.contradictions": (
        "{count} rows have the input of another row and a different label.",
        "Review them, or drop them (fix `drop_contradictions`).",
    ),
    "gates.several_answers": (
        "{count} rows have the input of another row and a different answer.",
        "That is fine where several answers are right; otherwise drop them (fix `drop_contradictions`).",
    ),
    "gates.duplicates": (
        "{count} of {rows} rows repeat another one of their split.",
        "Drop the copies (fix `drop_duplicates`).",
    ),
    "gates.near_duplicates": (
        "{count} of {rows} rows are near copies of another one, from a likeness of {threshold} on.",
        "Drop them (fix `drop_near_duplicates`), or accept them where only a word matters.",
    ),
    "gates.leaks": (
        "{count} of {rows} rows that measure are known from another split: {same} the same, {near} near copies, {context} "
        "with a shared context.",
        "Drop the other copies (fix `drop_leaks`): the score would be too good.",
    ),
    "gates.wrong_labels": (
        "{count} of {rows} rows probably have a wrong label.",
        "Look at them in the report and correct them, or drop them (fix `drop_rows`).",
    ),
    "gates.empty": ("{count} rows have nothing in their input or answer.", "Drop them (fix `drop_empty`)."),
    "gates.lengths": (
        "{long} rows are far longer and {short} far shorter than the rest.",
        "Look whether several rows ran into one; drop what is broken (fix `drop_rows`).",
    ),
    "gates.language": (
        "{count} rows are in another language ({languages}) than the rest ({own}).",
        "Drop them (fix `drop_rows`), or accept them.",
    ),
    "gates.encoding": (
        "{count} rows hold damaged characters, {lost} of them beyond repair.",
        "Repair them (fix `repair_encoding`); what is lost has to come from the source.",
    ),
    "gates.personal": (
        "{count} rows hold personal data: {found}.",
        "Mask it (fix `mask_personal`); names and addresses are not looked for.",
    ),
    "gates.secrets": (
        "{count} rows hold keys or passwords: {found}.",
        "Mask them (fix `mask_secrets`), and have them replaced where they are in use.",
    ),
    "gates.control_tokens": (
        "{count} rows hold control tokens of chat templates: {found}; they are taken as plain text.",
        "Drop these rows (fix `drop_rows`) if another tool left them there.",
    ),
    "gates.html": ("{count} rows hold HTML: {found}.", "Take it out (fix `strip_html`), unless it is to be learned."),
    "gates.template_rests": (
        "{count} rows hold open places of a template or marks of unfinished text: {found}.",
        "Fill them at the source, or drop the rows (fix `drop_rows`).",
    ),
    "gates.injection": (
        "{count} rows hold phrases that command a model: {found}.",
        "Drop them (fix `drop_rows`), unless they are to be recognised.",
    ),
    "gates.declining": (
        "{count} answers decline the task or speak as an assistant: {found}.",
        "Drop them (fix `drop_rows`): a model learns them fast.",
    ),
    "gates.tokens": (
        "{count} of {rows} rows are longer than {limit} tokens; the longest has {longest}, 95 % have {p95} at most.",
        "Raise the maximum length if the model can read more, or drop them (fix `drop_rows`).",
    ),
    # what did not run
    "gates.left_out": ("“{gate}” was left out.", "Check without leaving it out."),
    "gates.no_model": ("“{gate}” was not checked: no model was given.", "Name a model to count its tokens."),
    "gates.sketched": (
        "With more than {most} rows near copies are found by samples of their text; a few may be missed.",
        "",
    ),
    # parameters
    "gates.length_no_model": (
        "A maximum length counts tokens, and no model is given.",
        "Choose a model, or leave it at 0.",
    ),
    "gates.accept_form": ("“{text}” is not of the form gate=reason.", "Write, for example, personal=agreed."),
    "gates.no_rows_named": ("`drop_rows` needs the rows to drop.", "Give a report and its gates, or ids of rows."),
    "gates.report_other": (
        "“{ref}” is no check of a dataset.",
        "Choose a report of the stage Check data.",
    ),
    "gates.nothing_left": ("No training row of “{ref}” is left after the fixes.", "Choose fewer fixes."),
    "gates.personal_leaves": (
        "{count} rows of “{ref}” hold personal data or secrets, and go to an endpoint.",
        "Mask them first with the stage Clean data, if they must not leave this machine.",
    ),
}
