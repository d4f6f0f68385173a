"""Sentences about telling people that a run has ended."""

MESSAGES: dict[str, tuple[str, str]] = {
    "notify.unknown": ("There is no notification target “{name}”.", "Add it on the Settings page."),
    "notify.taken": ("A notification target “{name}” already exists.", "Choose another name."),
    "notify.name_missing": ("The target has no name.", "Enter a name."),
    "notify.entry_missing": ("The keyring has no address for “{name}”.", "Remove the target and add it again."),
    "notify.variable_missing": (
        "The environment variable {name} is not set.",
        "Set it, then restart the studio and its worker.",
    ),
    "notify.variable_name": ("“{name}” is not the name of an environment variable.", "Use letters, digits and “_”."),
    "notify.no_keyring": (
        "This machine has no keyring to store the address in.",
        "Specify an environment variable instead.",
    ),
    "notify.address_bad": (
        "Not a valid Apprise address.",
        "Use one such as json://host/path or mailto://user:password@host.",
    ),
    "notify.refused": ("The message was not accepted: {reason}", "Check the address and its server."),
    "notify.silent": ("No response within {seconds} s.", "Check the address and its server."),
}
