"""Sentences about names, tags and the trash."""

MESSAGES: dict[str, tuple[str, str]] = {
    "names.empty": ("A name can't be empty.", "Type one."),
    "names.long": ("A name has {most} characters at most.", "Shorten it."),
    "names.taken": ("Another {kind} is called “{name}”.", "Choose another name."),
    "names.builtin": ("Recipes find the built-in model by the name “{name}”.", "Choose another name."),
    "names.notes_long": ("Notes have {most} characters at most.", "Shorten them."),
    "names.tag": ("“{tag}” can't be a tag.", "Use up to {most} characters, without commas."),
    "names.tags_many": ("{count} tags are too many.", "Keep {most} at most."),
    "trash.days": ("The trash keeps things for 1 to {most} days.", "Choose a number between."),
    "trash.unknown": ("“{ref}” isn't in the trash.", "List it with `slmops storage trash`, or look in Settings."),
    "runs.not_yaml": ("The recipe can't be read: {reason}.", "Correct that line."),
}
