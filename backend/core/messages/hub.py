"""Sentences about the hub: what it refuses, what it has not, what cuts a download off."""

MESSAGES: dict[str, tuple[str, str]] = {
    "hub.offline": (
        "The hub is switched off: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set.",
        "Unset it and restart the studio, or import a local folder.",
    ),
    "hub.repo_name": ("“{repo}” is not the name of a repository.", "Write it as owner/name."),
    "hub.not_found": (
        "{host} has no {repo}, or it is private.",
        "Check the name. For a private one, set HF_TOKEN or run `slmops hub token set`.",
    ),
    "hub.revision_missing": ("{repo} has no revision “{revision}”.", "Choose another branch, tag or commit."),
    "hub.gated": (
        "{repo} is gated: only approved accounts can download it.",
        "Request access at {url}, then set HF_TOKEN or run `slmops hub token set`.",
    ),
    "hub.token_refused": (
        "{host} rejected the token (HTTP 401).",
        "Create a new one, then set HF_TOKEN or run `slmops hub token set`.",
    ),
    "hub.forbidden": (
        "{host} denied access to {repo} (HTTP 403).",
        "Use a token that may read this repository.",
    ),
    "hub.rate_limited": (
        "{host} is limiting requests (HTTP 429).",
        "Retry in {wait} seconds; finished files are kept.",
    ),
    "hub.rate_limited_unknown": (
        "{host} is limiting requests (HTTP 429).",
        "Retry later; finished files are kept.",
    ),
    "hub.status": ("{host} returned HTTP {status}.", "Retry later; finished files are kept."),
    "hub.unreachable": (
        "Can't connect to {host}: {reason}.",
        "Check the network or HF_ENDPOINT, then retry; downloaded parts are kept.",
    ),
    "hub.no_safetensors": (
        "{repo} contains no safetensors weights.",
        "Choose a repository with *.safetensors, or import a GGUF file.",
    ),
    "hub.damaged": (
        "{file} of {repo} arrived damaged; it was deleted.",
        "Retry: only this file is downloaded again.",
    ),
}
