"""Sentences about telling people that a run has ended."""

MESSAGES: dict[str, tuple[str, str]] = {
    "notify.unknown": ("There is no notification target “{name}”.", "Add it on the page Settings."),
    "notify.taken": ("There is a notification target “{name}” already.", "Choose another name."),
    "notify.name_missing": ("The target has no name.", "Give it one."),
    "notify.entry_missing": ("The keyring has no address for “{name}”.", "Remove the target and add it again."),
    "notify.variable_missing": (
        "The environment variable {name} is not set.",
        "Set it and start the studio and its worker again.",
    ),
    "notify.variable_name": ("“{name}” is not the name of an environment variable.", "Use letters, digits and “_”."),
    "notify.no_keyring": (
        "This machine has no keyring to store the address in.",
        "Name an environment variable instead.",
    ),
    "notify.address_bad": (
        "The address is not one that Apprise knows.",
        "Use one such as json://host/path or mailto://user:password@host.",
    ),
    "notify.refused": ("The message was not accepted: {reason}", "Check the address and whether its server is up."),
    "notify.silent": ("There was no answer within {seconds} s.", "Check the address and whether its server is up."),
}
