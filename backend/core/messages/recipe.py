"""Sentences about recipes."""

MESSAGES: dict[str, tuple[str, str]] = {
    "recipe.missing": (
        "There is no recipe {file}.",
        "Check the path; the shipped ones are listed by `slmops run --list`.",
    ),
    "recipe.unreadable": ("{file} can't be read: {reason}.", "Check the file and its permissions."),
    "recipe.yaml": ("{file} is not valid YAML: {reason}.", "Correct the line that is named."),
    "recipe.unknown_key": ("There is no setting called “{key}”.", "Correct its name or leave it out."),
    "recipe.unknown_stage": ("There is no stage called “{name}”.", "Use one of: {names}."),
    "recipe.twice": ("Two stages have the id “{id}”.", "Give each stage an id of its own."),
    "recipe.unknown_ref": ("${{{ref}}} names no stage of this recipe.", "Use one of: {ids}."),
    "recipe.cycle": ("These stages wait for each other: {path}.", "Let one of them use something else."),
    "recipe.set_unknown": ("--set {key}: no stage has that id.", "Write <id>.<parameter>=<value>; the ids are {ids}."),
    "recipe.set_seed": ("--set {key}={text}: a seed is a whole number.", "Write for instance --set {key}=7."),
    "recipe.set_form": ("--set {text} has no value.", "Write <id>.<parameter>=<value>."),
}
