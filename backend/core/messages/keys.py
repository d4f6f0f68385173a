"""Sentences about keys of endpoints that are kept in the keyring."""

MESSAGES: dict[str, tuple[str, str]] = {
    "keys.no_keyring": (
        "This machine has no keyring to store keys.",
        "Put the key in an environment variable and enter its name.",
    ),
    "keys.characters": ("Not a valid key.", "Paste only the key, without spaces or line breaks."),
    "keys.refused_by_keyring": (
        "The keyring denied access to the key for “{name}” ({reason}).",
        "Unlock the keyring and try again.",
    ),
    "keys.gone": (
        "The keyring no longer has a key for “{name}”.",
        "Enter the key again on the Teacher page or with `slmops endpoints key set {name}`.",
    ),
    "keys.none": ("No key saved for “{name}”.", "Set one: `slmops endpoints key set {name}`."),
    "keys.refused": (
        "{url} refused the key (HTTP {status}: {reason}); answers kept: {kept}.",
        "Replace the key for “{name}” on the Teacher page and retry.",
    ),
    "keys.wanted": (
        "{url} requires a key (HTTP {status}: {reason}); answers kept: {kept}.",
        "Edit “{name}” on the Teacher page, add its key and retry.",
    ),
}
