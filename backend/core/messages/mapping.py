"""Sentences about rows that become examples: shapes of conversations, templates of columns, what was taken along the way."""

from backend.core.messages.plurals import plural

_SKIP = "Fix them, or set “Row errors” to “Skip” (--on-bad-row skip)."
NOTES = frozenset(
    f"data.{name}"
    for name in ("turns_joined", "turns_open", "turns_weightless", "answers_several", "system_shared", "labels_joined")
)
_DOUBLE = "Write {{{{ and }}}} for literal braces."

MESSAGES: dict[str, tuple[str, str]] = {
    # rows
    "data.chat_parts": (
        plural(
            "{file}: {count} row contains images, audio or files (row → part: {places}).",
            "{file}: {count} rows contain images, audio or files (row → part: {places}).",
        ),
        "Only text can be used. Set “Row errors” to “Skip” (--on-bad-row skip).",
    ),
    "data.tools_shape": (
        plural(
            "{file}: in {count} row the tools can't be read (row → found: {places}).",
            "{file}: in {count} rows the tools can't be read (row → found: {places}).",
        ),
        _SKIP,
    ),
    "data.tool_calls_shape": (
        plural(
            "{file}: in {count} row a tool call can't be read (row → found: {places}).",
            "{file}: in {count} rows a tool call can't be read (row → found: {places}).",
        ),
        _SKIP,
    ),
    "data.turns_apart": (
        plural(
            "{file}: {count} conversation is scattered over the file (row → conversation: {places}).",
            "{file}: {count} conversations are scattered over the file (row → conversation: {places}).",
        ),
        "Sort the file by conversation.",
    ),
    "data.label_name_missing": (
        plural(
            "{file}: {count} row has a label number without a name (row → number: {places}).",
            "{file}: {count} rows have a label number without a name (row → number: {places}).",
        ),
        _SKIP,
    ),
    "data.multi_label_value": (
        plural(
            "{file}: {count} row contains something other than 0 or 1 in a label column (row → found: {places}).",
            "{file}: {count} rows contain something other than 0 or 1 in a label column (row → found: {places}).",
        ),
        _SKIP,
    ),
    "data.header_again": (
        plural(
            "{file}: {count} row repeats the header (row: {places}).",
            "{file}: {count} rows repeat the header (row: {places}).",
        ),
        "Remove them, or set “Row errors” to “Skip” (--on-bad-row skip).",
    ),
    "data.echo": (
        plural(
            "{file}: in {count} row the answer is the same as the input (row: {places}).",
            "{file}: in {count} rows the answer is the same as the input (row: {places}).",
        ),
        "Check that input and answer are the right columns.",
    ),
    "data.total_row": (
        "{file}: the last row ({places}) looks like a total.",
        "Remove it if it is not an example.",
    ),
    "data.choice_shape": (
        plural(
            "{file}: in {count} row the answer is none of the choices (row → found: {places}).",
            "{file}: in {count} rows the answer is none of the choices (row → found: {places}).",
        ),
        _SKIP,
    ),
    "data.squad_shape": (
        plural(
            "{file}: {count} paragraph lacks its text or a question (row → what: {places}).",
            "{file}: {count} paragraphs lack their text or a question (row → what: {places}).",
        ),
        _SKIP,
    ),
    "data.spans": (
        plural(
            "{file}: {count} row marks parts of the text (row → column: {places}).",
            "{file}: {count} rows mark parts of the text (row → column: {places}).",
        ),
        "Only labels of whole texts are supported.",
    ),
    "data.preference_shape": (
        plural(
            "{file}: in {count} row the chosen and the rejected side aren't one answer each (row → answers: {places}).",
            "{file}: in {count} rows the chosen and the rejected side aren't one answer each (row → answers: {places}).",
        ),
        _SKIP,
    ),
    "data.verdict_unknown": (
        plural(
            "{file}: in {count} row the mark isn't good or not good (row → mark: {places}).",
            "{file}: in {count} rows the mark isn't good or not good (row → mark: {places}).",
        ),
        _SKIP,
    ),
    "data.own_export": (
        plural(
            "{file}: {count} edited row can't be read back (row → field: {places}).",
            "{file}: {count} edited rows can't be read back (row → field: {places}).",
        ),
        _SKIP,
    ),
    "data.split_marker": (
        plural(
            "{file}: “{column}” names no split in {count} row (row → found: {places}).",
            "{file}: “{column}” names no split in {count} rows (row → found: {places}).",
        ),
        "Write train, validation or test there, or set “Split by” to “At random” (--split-by random).",
    ),
    "data.time_unreadable": (
        plural(
            "{file}: “{column}” contains no time in {count} row (row → found: {places}).",
            "{file}: “{column}” contains no time in {count} rows (row → found: {places}).",
        ),
        _SKIP,
    ),
    "data.template_failed": (
        plural(
            "{file}: the user prompt fails on {count} row (row → reason: {places}).",
            "{file}: the user prompt fails on {count} rows (row → reason: {places}).",
        ),
        _SKIP,
    ),
    # templates
    "data.template_unknown": (
        "The user prompt uses {names}, which {file} doesn't have.",
        f"Its columns are: {{columns}}. {_DOUBLE}",
    ),
    "data.template_syntax": ("The user prompt is not valid Jinja: {reason}.", "Fix it, or use {{column}} alone."),
    "data.template_answer": ("The user prompt contains the answer column “{name}”.", "Remove it from the prompt."),
    "data.time_column": (
        "Splitting by time needs a time column.",
        "Set it as split column (--split-column).",
    ),
    # what was taken
    "data.turns_joined": (
        plural(
            "{file}: in {count} conversation the user speaks twice in a row.",
            "{file}: in {count} conversations the user speaks twice in a row.",
        ),
        "These turns were joined.",
    ),
    "data.turns_open": (
        plural(
            "{file}: {count} conversation ends without an answer to the last turn.",
            "{file}: {count} conversations end without an answer to the last turn.",
        ),
        "Only answered turns are used.",
    ),
    "data.turns_unanswered": (
        plural(
            "{file}: {count} conversation has no answer to learn.",
            "{file}: {count} conversations have no answer to learn.",
        ),
        "They stay unlabelled, for a teacher to answer.",
    ),
    "data.turns_skipped": (
        plural(
            "{file}: {count} conversation has several answers; only the last is learned.",
            "{file}: {count} conversations have several answers; only the last of each is learned.",
        ),
        "To use every answer, set “Trained turns” to “All” (--turns all).",
    ),
    "data.turns_weightless": (
        plural(
            "{file}: in {count} conversation answers have weight 0.",
            "{file}: in {count} conversations answers have weight 0.",
        ),
        "They are context only.",
    ),
    "data.rejected_only": (
        plural(
            "{file}: {count} row contains only a rejected answer.",
            "{file}: {count} rows contain only a rejected answer.",
        ),
        "Kept for preference training only.",
    ),
    "data.answers_several": (
        plural("{file}: {count} row has several right answers.", "{file}: {count} rows have several right answers."),
        "The first of each is used.",
    ),
    "data.annotators_disagree": (
        plural(
            "{file}: {count} row has conflicting human labels.",
            "{file}: {count} rows have conflicting human labels.",
        ),
        "The first label of each is used.",
    ),
    "data.system_shared": (
        "All rows share one system prompt.",
        "It is now the dataset's system prompt.",
    ),
    "data.one_class": (
        "All answers have the same label: {name}.",
        "Add rows of other classes.",
    ),
    "data.also_in_test": (
        plural(
            "{count} row has the same input as a validation or test row.",
            "{count} rows have the same input as a validation or test row.",
        ),
        "They were left out of training.",
    ),
    "data.labels_joined": (
        plural(
            "{count} label had spelling variants that look alike.",
            "{count} labels had spelling variants that look alike.",
        ),
        "Each is now a single label.",
    ),
}
