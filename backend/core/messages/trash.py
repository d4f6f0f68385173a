"""Sentences about names, tags and the trash."""

MESSAGES: dict[str, tuple[str, str]] = {
    "names.empty": ("A name can't be empty.", "Enter a name."),
    "names.long": ("The maximum is {most} characters.", "Shorten it."),
    "names.taken": ("Another {kind} is named “{name}”.", "Choose another name."),
    "names.builtin": ("The built-in model must keep the name “{name}”.", "Choose another name."),
    "names.notes_long": ("Notes are limited to {most} characters.", "Shorten them."),
    "names.tag": ("“{tag}” is not a valid tag.", "Use up to {most} characters, without commas."),
    "names.tags_many": ("Too many tags: {count}.", "Use at most {most}."),
    "trash.days": ("The trash keeps items for 1 to {most} days.", "Enter a number in that range."),
    "trash.unknown": ("“{ref}” is not in the trash.", "List it with `slmops storage trash`, or look in Settings."),
    "runs.not_yaml": ("The recipe can't be read: {reason}.", "Correct that line."),
}
