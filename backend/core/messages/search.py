"""Sentences about a search."""

MESSAGES: dict[str, tuple[str, str]] = {
    "search.empty": ("There is nothing to search.", "Give at least one field a range, such as rank=8|16|32."),
    "search.form": (
        "“{text}” is no range.",
        "Write field=low..high, field=low..high log, field=one|other or field=value.",
    ),
    "search.unknown": ("This stage has no field “{name}”.", "Use a name from its form or the reference."),
    "search.twice": ("“{name}” is given twice.", "Keep one of the two."),
    "search.unmeasured": ("Without validation rows no trial can be compared.", "Set evaluate_rows above 0."),
    "search.kinds": ("Some trials would leave an adapter, others a full model.", "Search them apart."),
    "search.no_quality": (
        "The original answers no validation row rightly, so nothing tells what a smaller one keeps.",
        "Train it first, or choose rows that it can answer.",
    ),
    "search.none": ("No trial finished. The first one: {failure}", "Change the ranges or fixed values."),
}
