"""Sentences about answers that a judge chooses among, replies that were cut off, and replies that hold an error."""

MESSAGES: dict[str, tuple[str, str]] = {
    "answers.one_judge": (
        "“Best by a judge” needs exactly one judge.",
        "Choose a model or a saved endpoint as the judge.",
    ),
    "answers.one_answer": (
        "One answer per row leaves nothing to choose from.",
        "Add a teacher, or ask for several answers per row.",
    ),
    "answers.judge_useless": (
        "None of the {count} replies of “{judge}” has a score from 1 to 5 (for example: “{example}”).",
        "Choose a larger judge, or allow longer replies.",
    ),
    "answers.endpoint_error": (
        "{url} returned an error ({reason}), {tries} times; answers kept: {kept}.",
        "Wait or fix the cause, then retry; only missing answers are requested.",
    ),
    "answers.new_cut_off": (
        "“{teacher}” wrote nothing new in {count} replies; {cut} were cut off.",
        "Raise “Maximum answer length” (max_new_tokens), or ask for fewer inputs at a time.",
    ),
}
