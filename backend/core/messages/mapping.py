"""Sentences about rows that become examples: shapes of conversations, templates of columns, what was taken along the way."""

_SKIP = "Correct them in the file, or set “Row errors” to “Skip and count them” (--on-bad-row skip)."
NOTES = frozenset(
    f"data.{name}"
    for name in ("turns_joined", "turns_open", "turns_weightless", "answers_several", "system_shared", "labels_joined")
)
_DOUBLE = "Write {{{{ and }}}} for braces that are text."

MESSAGES: dict[str, tuple[str, str]] = {
    # rows
    "data.chat_parts": (
        "{file}: {count} row(s) hold pictures, sound or files (row → part: {places}).",
        "Only text can be learned: set “Row errors” to “Skip and count them” (--on-bad-row skip).",
    ),
    "data.tools_shape": ("{file}: in {count} row(s) the tools can't be read (row → found: {places}).", _SKIP),
    "data.tool_calls_shape": ("{file}: in {count} row(s) a tool call can't be read (row → found: {places}).", _SKIP),
    "data.turns_apart": (
        "{file}: {count} conversation(s) are scattered over the file (row → conversation: {places}).",
        "Sort the file by conversation.",
    ),
    "data.label_name_missing": (
        "{file}: {count} row(s) have a label number without a name (row → number: {places}).",
        _SKIP,
    ),
    "data.multi_label_value": (
        "{file}: {count} row(s) hold something other than 0 or 1 in a label column (row → found: {places}).",
        _SKIP,
    ),
    "data.header_again": (
        "{file}: {count} row(s) repeat the names of the columns (row: {places}).",
        "Take them out of the file, or set “Row errors” to “Skip and count them” (--on-bad-row skip).",
    ),
    "data.echo": (
        "{file}: in {count} row(s) the answer is the same as the input (row: {places}).",
        "Look whether input and answer are the right columns.",
    ),
    "data.total_row": (
        "{file}: the last row ({places}) looks like a total, and is learned as an example.",
        "Take it out of the file if it is none.",
    ),
    "data.choice_shape": (
        "{file}: in {count} row(s) the answer is none of the choices (row → found: {places}).",
        _SKIP,
    ),
    "data.squad_shape": ("{file}: {count} paragraph(s) lack their text or a question (row → what: {places}).", _SKIP),
    "data.spans": (
        "{file}: {count} row(s) mark parts of the text (row → column: {places}).",
        "Only labels of whole texts can be learned.",
    ),
    "data.preference_shape": (
        "{file}: in {count} row(s) the chosen and the rejected side aren't one answer each (row → answers: {places}).",
        _SKIP,
    ),
    "data.own_export": (
        "{file}: {count} row(s) were changed so that they can't be read back (row → field: {places}).",
        _SKIP,
    ),
    "data.split_marker": (
        "{file}: “{column}” names no split in {count} row(s) (row → found: {places}).",
        "Write train, validation or test there, or set “Split by” to “At random” (--split-by random).",
    ),
    "data.time_unreadable": ("{file}: “{column}” holds no time in {count} row(s) (row → found: {places}).", _SKIP),
    "data.template_failed": ("{file}: the user prompt fails on {count} row(s) (row → reason: {places}).", _SKIP),
    # templates
    "data.template_unknown": (
        "The user prompt names {names}, which {file} doesn't have.",
        f"Its columns are: {{columns}}. {_DOUBLE}",
    ),
    "data.template_syntax": ("The user prompt is not valid Jinja: {reason}.", "Correct it, or use {{column}} alone."),
    "data.template_answer": ("The user prompt holds the answer column “{name}”.", "Take it out of the prompt."),
    "data.time_column": (
        "Splitting by time needs a column with times.",
        "Name it as the split column (--split-column).",
    ),
    # what was taken
    "data.turns_joined": (
        "{file}: in {count} conversation(s) the user speaks twice in a row.",
        "These turns were joined.",
    ),
    "data.turns_open": (
        "{file}: {count} conversation(s) end without an answer to the last turn.",
        "The turns that have an answer are learned.",
    ),
    "data.turns_unanswered": (
        "{file}: {count} conversation(s) have no answer to learn.",
        "They go to the pool for a teacher.",
    ),
    "data.turns_skipped": (
        "{file}: of {count} conversation(s) with several answers only the last is learned.",
        "Set “Learned turns” to “All” (--turns all) to learn every one.",
    ),
    "data.turns_weightless": (
        "{file}: in {count} conversation(s) answers have weight 0.",
        "They are context and not learned.",
    ),
    "data.rejected_only": (
        "{file}: {count} row(s) hold only a rejected answer.",
        "They are kept apart for preference training, and not learned.",
    ),
    "data.answers_several": (
        "{file}: {count} row(s) have several right answers.",
        "The first of each is learned.",
    ),
    "data.annotators_disagree": (
        "{file}: in {count} row(s) people labelled differently.",
        "The first label of each is learned.",
    ),
    "data.system_shared": (
        "All rows share one system prompt.",
        "It became the system prompt of the dataset.",
    ),
    "data.one_class": (
        "All answers are the same one label: {name}.",
        "Nothing can be learned; add rows of other classes.",
    ),
    "data.also_in_test": (
        "{count} row(s) have the same input as a validation or test row.",
        "They were left out of training.",
    ),
    "data.labels_joined": (
        "{count} label(s) were written in several ways that look alike.",
        "Each is one label now.",
    ),
}
