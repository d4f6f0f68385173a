"""Sentences about a single value of a form, a recipe or a setting: short, because they stand beside their field."""

from backend.core.messages.plurals import plural

MESSAGES: dict[str, tuple[str, str]] = {
    "value.missing": ("This is needed and was not given.", "Fill it in."),
    "value.at_least": ("The number is too small.", "Enter {limit} or more."),
    "value.above": ("The number is too small.", "Enter more than {limit}."),
    "value.at_most": ("The number is too large.", "Enter {limit} or less."),
    "value.below": ("The number is too large.", "Enter less than {limit}."),
    "value.whole": ("This is not a whole number.", "Enter digits only, such as 12."),
    "value.number": ("This is not a number.", "Enter one, such as 0.5."),
    "value.yes_no": ("This is neither true nor false.", "Enter true or false."),
    "value.text": ("This is not a text.", "Enter words; in a recipe, put them in quotation marks."),
    "value.choice": ("This is not one of the choices.", "Use one of: {choices}."),
    "value.short": (
        "The text is too short.",
        plural("Enter at least {limit} character.", "Enter at least {limit} characters.", "limit"),
    ),
    "value.long": ("The text is too long.", "Shorten it to {limit} characters."),
    "value.few": ("There are too few entries.", "Give at least {limit}."),
    "value.many": ("There are too many entries.", "Give at most {limit}."),
    "value.characters": (
        "This holds characters that are not allowed here.",
        "Use letters without accents, digits and underscores, no spaces, and begin with a letter.",
    ),
    "value.list": ("This is not a list.", "Write it as [first, second]."),
    "value.keys": ("This is not a set of keys with values.", "Write it as key: value, one per line."),
}
