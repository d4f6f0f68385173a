"""Sentences about answers that a judge chooses among, replies that were cut off, and replies that hold an error."""

MESSAGES: dict[str, tuple[str, str]] = {
    "answers.one_judge": (
        "The best answer of several is chosen by a judge, and there is not exactly one.",
        "Choose a model or a saved endpoint as the judge.",
    ),
    "answers.one_answer": (
        "With one answer per row there is nothing to choose from.",
        "Add a teacher, or ask for several answers per row.",
    ),
    "answers.judge_useless": (
        "None of the {count} replies of “{judge}” holds a score from 1 to 5 (one began: “{example}”).",
        "Choose a larger judge, or give it a longer reply.",
    ),
    "answers.endpoint_error": (
        "{url} sent an error in the place of an answer ({reason}), {tries} times; answers kept: {kept}.",
        "Wait or correct what it names, then retry; only missing answers are asked again.",
    ),
    "answers.new_cut_off": (
        "“{teacher}” wrote nothing new in {count} replies, and {cut} of them were cut off before their end.",
        "Raise max_new_tokens, or ask for fewer inputs at a time.",
    ),
}
