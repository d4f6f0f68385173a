"""Sentences about keys of endpoints that are kept in the keyring."""

MESSAGES: dict[str, tuple[str, str]] = {
    "keys.no_keyring": (
        "This machine has no keyring that could keep a key.",
        "Put the key into an environment variable and name it here.",
    ),
    "keys.characters": ("This is not a key.", "Paste the key alone, without spaces or line breaks."),
    "keys.refused_by_keyring": (
        "The keyring did not give access to the key of “{name}” ({reason}).",
        "Unlock the keyring and try again.",
    ),
    "keys.gone": (
        "The keyring holds no key of “{name}” any more.",
        "Type the key again: page Teacher, or `slmops endpoints key set {name}`.",
    ),
    "keys.none": ("No key of “{name}” is kept.", "Set one: `slmops endpoints key set {name}`."),
    "keys.refused": (
        "{url} refused the key (HTTP {status}); answers kept: {kept}.",
        "Replace the key of “{name}” on the page Teacher and retry.",
    ),
    "keys.wanted": (
        "{url} wants a key (HTTP {status}); answers kept: {kept}.",
        "Edit “{name}” on the page Teacher, add its key and retry.",
    ),
}
