"""Sentences about synthetic data: votes, steps, generated inputs, filters."""

MESSAGES: dict[str, tuple[str, str]] = {
    "synth.samples_alike": (
        "At temperature 0, all {samples} answers per row are identical.",
        "Set a temperature above 0 (0.7 is usual), or ask for one answer per row.",
    ),
    "synth.no_confidence": (
        "Endpoints give no confidence for a single answer.",
        "Request several answers per row, or set “Minimum confidence” to 0.",
    ),
    "synth.steps_marker": (
        "The rationale request does not contain {{marker}}.",
        "Add {{marker}} where the answer marker goes.",
    ),
    "synth.teacher_twice": ("“{ref}” is listed twice as a teacher.", "Choose each teacher once."),
    "synth.marker_missing": (
        "None of the {count} replies of “{teacher}” contains the marker “{marker}” (for example: “{example}”).",
        "Choose a larger teacher, raise “Maximum answer length” (max_new_tokens), or turn rationales off.",
    ),
    "synth.all_cut_off": (
        "All {count} answers of “{teacher}” were cut off or unusable (for example: “{example}”).",
        "Raise “Maximum answer length” (max_new_tokens); some models reason first.",
    ),
    "synth.all_unsure": (
        "“{teacher}” was too uncertain about all {count} rows.",
        "Lower “Minimum confidence”, or choose another teacher.",
    ),
    "synth.pattern": (
        "Not a valid regular expression: {reason}.",
        "Fix it or leave it blank; escape literal characters with a backslash.",
    ),
    "synth.pattern_slow": (
        "The pattern `{pattern}` takes too long on row {row}.",
        "Avoid nested repetitions, such as (a+)+.",
    ),
    "synth.lengths": (
        "The minimum length ({least}) exceeds the maximum ({most}).",
        "Lower one or raise the other; 0 means no maximum.",
    ),
    "synth.no_answers": (
        "“{ref}” has no training rows with answers.",
        "Let a teacher answer its unlabelled rows first.",
    ),
    "synth.balance_text": (
        "Free text has no classes to balance.",
        "Set “Balance” to “None”.",
    ),
    "synth.nothing_left": (
        "All {rows} rows were dropped; main reason: {reason} ({count}).",
        "Relax that filter, then retry.",
    ),
    "synth.no_seeds": (
        "“{ref}” has no training or unlabelled rows to start from (conversations don't count).",
        "Choose a dataset with examples.",
    ),
    "synth.nothing_new": (
        "“{teacher}” wrote nothing new in {count} replies; {unreadable} had no list of texts "
        "(for example: “{example}”).",
        "Choose a larger model, ask for fewer inputs at a time, or raise the temperature.",
    ),
    "synth.judge_useless": (
        "None of the {count} replies of “{judge}” has a score from 1 to 5 (for example: “{example}”).",
        "Choose a larger judge, or raise its maximum reply (max_new_tokens).",
    ),
}
