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
    "synth.all_unsure": (
        "“{teacher}” was not sure enough of any of the {count} rows.",
        "Lower the lowest confidence, or choose another teacher.",
    ),
}
