"""Sentences about the hub: what it refuses, what it has not, what cuts a download off."""

MESSAGES: dict[str, tuple[str, str]] = {
    "hub.offline": (
        "The hub is not asked: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set.",
        "Unset it and restart the studio, or import a folder that you have.",
    ),
    "hub.repo_name": ("“{repo}” is not the name of a repository.", "Write it as owner/name."),
    "hub.not_found": (
        "{host} has no {repo}, or it is private.",
        "Check the name. For a private one, set HF_TOKEN or run `slmops hub token set`.",
    ),
    "hub.revision_missing": ("{repo} has no revision “{revision}”.", "Choose another branch, tag or commit."),
    "hub.gated": (
        "{repo} is gated: its owner gives it to accepted accounts only.",
        "Ask for access at {url}, then set HF_TOKEN or run `slmops hub token set`.",
    ),
    "hub.token_refused": (
        "{host} refuses the token (HTTP 401).",
        "Create a new one, then set HF_TOKEN or run `slmops hub token set`.",
    ),
    "hub.forbidden": (
        "{host} does not allow this for {repo} (HTTP 403).",
        "Use a token that may read this repository.",
    ),
    "hub.rate_limited": (
        "{host} accepts no more requests for now (HTTP 429).",
        "Retry in {wait} seconds; finished files are kept.",
    ),
    "hub.rate_limited_unknown": (
        "{host} accepts no more requests for now (HTTP 429).",
        "Retry later; finished files are kept.",
    ),
    "hub.status": ("{host} answers with HTTP {status}.", "Retry later; finished files are kept."),
    "hub.unreachable": (
        "The connection to {host} fails: {reason}.",
        "Check the network or HF_ENDPOINT, then retry; what arrived is kept.",
    ),
    "hub.no_safetensors": (
        "{repo} holds no safetensors weights.",
        "Choose a repository with *.safetensors, or import a GGUF file.",
    ),
    "hub.damaged": (
        "{file} of {repo} arrived damaged; it was deleted.",
        "Retry: only this file is fetched again.",
    ),
}
