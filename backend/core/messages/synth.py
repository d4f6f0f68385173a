"""Sentences about synthetic data: votes, steps, generated inputs, filters."""

MESSAGES: dict[str, tuple[str, str]] = {
    "synth.samples_alike": (
        "At temperature 0 all {samples} answers of a row are the same.",
        "Set a temperature above 0 (0.7 is usual), or ask for one answer per row.",
    ),
    "synth.no_confidence": (
        "An endpoint doesn't say how sure it is of a single answer.",
        "Ask for several answers per row, or set the lowest confidence to 0.",
    ),
    "synth.steps_marker": (
        "The request for the steps does not contain {{marker}}.",
        "Write {{marker}} where the mark before the answer belongs.",
    ),
    "synth.teacher_twice": ("“{ref}” is among the teachers twice.", "Choose each teacher once."),
    "synth.marker_missing": (
        "None of the {count} replies of “{teacher}” holds the mark “{marker}” (for example: “{example}”).",
        "Choose a larger teacher, raise max_new_tokens, or switch the steps off.",
    ),
    "synth.all_cut_off": (
        "All {count} answers of “{teacher}” were cut off or of no use (for example: “{example}”).",
        "Raise max_new_tokens; some models spend tokens on thinking first.",
    ),
    "synth.all_unsure": (
        "“{teacher}” was not sure enough of any of the {count} rows.",
        "Lower the lowest confidence, or choose another teacher.",
    ),
    "synth.pattern": (
        "This is not a regular expression: {reason}.",
        "Correct it, or leave the field empty; put a backslash before characters that are meant as they are.",
    ),
    "synth.pattern_slow": (
        "The pattern `{pattern}` takes too long on row {row}.",
        "Write it without repetitions inside repetitions, such as (a+)+.",
    ),
    "synth.lengths": (
        "The shortest allowed length ({least}) is above the longest ({most}).",
        "Lower the one or raise the other; 0 sets no longest.",
    ),
    "synth.no_answers": (
        "“{ref}” has no training rows with answers.",
        "Let a teacher answer its pool first.",
    ),
    "synth.balance_text": (
        "Free text has no classes to balance.",
        "Set the balance to none.",
    ),
    "synth.nothing_left": (
        "None of the {rows} rows stayed; most went for this reason: {reason} ({count}).",
        "Loosen that rule, then start again.",
    ),
    "synth.no_seeds": (
        "“{ref}” has no training or pool row to start from (rows of conversations don't count).",
        "Choose a dataset with examples.",
    ),
    "synth.nothing_new": (
        "“{teacher}” wrote nothing new in {count} replies; {unreadable} held no list of texts (one began: “{example}”).",
        "Choose a larger model, ask for fewer inputs at a time, or raise the temperature.",
    ),
    "synth.judge_useless": (
        "None of the {count} replies of “{judge}” holds a score from 1 to 5 (one began: “{example}”).",
        "Choose a larger judge, or give it more room with max_new_tokens.",
    ),
}
