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
        "Check the network or HF_ENDPOINT, then retry; finished files are kept.",
    ),
    "hub.certificate": (
        "The certificate of {host} can't be verified ({reason}).",
        "Set SLMOPS_CA_FILE to the file of your organization's certificates, then restart the studio.",
    ),
    "hub.no_safetensors": (
        "{repo} contains no safetensors weights.",
        "Choose a repository with *.safetensors, or import a GGUF file.",
    ),
    "hub.no_data_files": (
        "{repo} has no Parquet, CSV or JSON files.",
        "Try the revision refs/convert/parquet, or choose another.",
    ),
    "hub.file_missing": ("{repo} has no file “{file}”.", "Choose one that `slmops hub show` lists."),
    "hub.config_open": ("{repo} has several configurations.", "Choose one: {configs}."),
    "hub.config_missing": ("{repo} has no configuration “{config}”.", "Choose one: {configs}."),
    "hub.split_missing": ("{repo} has no split “{split}”.", "Choose among: {splits}."),
    "hub.token_missing": (
        "A push needs a token with write access.",
        "Set HF_TOKEN or run `slmops hub token set`.",
    ),
    "hub.push_kind": (
        "“{ref}” is of the kind {kind}, which is not pushed.",
        "Choose a model, an adapter or a dataset.",
    ),
    "hub.push_public": (
        "{repo} exists and is public.",
        "Choose another name, or push it as public.",
    ),
    "hub.push_exists": (
        "{repo} exists and has other files.",
        "Choose another name, or allow the update.",
    ),
    "hub.push_forbidden": (
        "{host} does not let this token write to {repo} (HTTP 403).",
        "Use a token with write access, and your own name or organization.",
    ),
    "hub.push_quota": ("Your storage on {host} is full.", "Free some there, then retry: finished files are kept."),
    "hub.push_refused": ("{host} refuses the files for {repo} (HTTP {status}).", "Check the card and the names."),
    "hub.push_files": ("{host} does not take a file.", "Retry later, or push fewer files."),
    "hub.only_gguf": ("{repo} holds GGUF files only.", "Name one: `slmops hub download {repo} --file NAME.gguf`."),
    "hub.gguf_missing": ("{repo} has no GGUF file “{file}”.", "Choose one: {files}."),
    "hub.damaged": (
        "{file} of {repo} arrived damaged; it was deleted.",
        "Retry: only this file is downloaded again.",
    ),
}
