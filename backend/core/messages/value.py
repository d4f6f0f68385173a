"""Sentences about a single value of a form, a recipe or a setting: short, because they stand beside their field."""

from backend.core.messages.plurals import plural

MESSAGES: dict[str, tuple[str, str]] = {
    "value.missing": ("Required.", "Fill in this field."),
    "value.at_least": ("The number is too small.", "Enter {limit} or more."),
    "value.above": ("The number is too small.", "Enter more than {limit}."),
    "value.at_most": ("The number is too large.", "Enter {limit} or less."),
    "value.below": ("The number is too large.", "Enter less than {limit}."),
    "value.whole": ("Not a whole number.", "Enter digits only, such as 12."),
    "value.number": ("Not a number.", "Enter a number, such as 0.5."),
    "value.yes_no": ("Not true or false.", "Enter true or false."),
    "value.text": ("Not text.", "Enter text; in a recipe, put it in quotation marks."),
    "value.choice": ("Not one of the choices.", "Use one of: {choices}."),
    "value.short": (
        "The text is too short.",
        plural("Enter at least {limit} character.", "Enter at least {limit} characters.", "limit"),
    ),
    "value.long": ("The text is too long.", "Shorten it to {limit} characters."),
    "value.few": ("Too few entries.", "Enter at least {limit}."),
    "value.many": ("Too many entries.", "Enter at most {limit}."),
    "value.characters": (
        "Contains characters that are not allowed.",
        "Use unaccented letters, digits and underscores, starting with a letter.",
    ),
    "value.list": ("Not a list.", "Write it as [first, second]."),
    "value.keys": ("Not a mapping of keys to values.", "Write it as key: value, one per line."),
}
