"""Sentences about what goes over the wire to an endpoint: addresses, proxies, certificates, refusals that are final."""

MESSAGES: dict[str, tuple[str, str]] = {
    "wire.quota": (
        "The account at {url} has no quota left (HTTP {status}: {reason}); answers kept: {kept}.",
        "Add credit or raise its limit, then retry; only missing answers are requested.",
    ),
    "wire.wait_too_long": (
        "{url} accepts requests again at {until} (HTTP {status}: {reason}); answers kept: {kept}.",
        "Retry after that time; only missing answers are requested.",
    ),
    "wire.redirect": (
        "{url} redirects to {target} (HTTP {status}); nothing was sent there. Answers kept: {kept}.",
        "If you trust that address, enter it instead.",
    ),
    "wire.filtered": (
        "The content filter of {url} refused the prompt (HTTP {status}: {reason}); answers kept: {kept}.",
        "Change the prompt or these rows, then retry.",
    ),
    "wire.too_large": (
        "{url} sent a reply larger than {limit}; answers kept: {kept}.",
        "Check that the address belongs to a chat endpoint.",
    ),
    "wire.metadata_host": (
        "{host} is a cloud metadata service, not an endpoint.",
        "Enter the address of a chat endpoint.",
    ),
    "wire.host_not_allowed": (
        "Requests to {host} are not allowed here.",
        "Choose another address, or ask the administrator to add it to {variable}.",
    ),
    "wire.plain_http": (
        "The key and the rows would travel unencrypted to {host}.",
        "Use https:// if the endpoint supports it.",
    ),
    "wire.other_host": (
        "{key_env} is the key for {usual}, but the address is {host}.",
        "Check that the key belongs to this address.",
    ),
    "wire.header_missing": (
        "The environment variable {name} in a header for {url} is not set.",
        "Set it before the worker starts, or remove the header.",
    ),
    "wire.header_form": ("“{name}” is not a valid header.", "Write one “Name: value” on each line."),
    "wire.header_secret": (
        "The header “{name}” seems to contain a secret.",
        "Write ${{NAME_API_KEY}} for an environment variable, or ${{key}} for the endpoint's key.",
    ),
    "wire.body_form": ("The body fields are not a JSON object.", "Write them in braces, with names in double quotes."),
    "wire.body_secret": ("The body fields contain a secret.", "Send it in a header as ${{NAME_API_KEY}}."),
    "wire.field_ours": ("The studio sets “{name}” itself.", "Remove it."),
    "wire.extras_long": ("These additions are too long.", "Use at most 20 headers and 4,000 characters."),
    "network.socks": (
        "The SOCKS proxy {proxy} in {variable} needs the package socksio.",
        "Install it: `pip install 'httpx[socks]'`. Or add the host to NO_PROXY.",
    ),
    "network.proxy_address": (
        "{variable} is not a usable proxy address.",
        "Use http://host:port or socks5://host:port.",
    ),
    "network.proxy_refused": (
        "The proxy {proxy} refused the request to {url} ({reason}); answers kept: {kept}.",
        "Check {variable}, or add the host to NO_PROXY, then restart the studio.",
    ),
    "network.proxy_unreachable": (
        "The proxy {proxy} can't be reached ({reason}) after {tries} tries; answers kept: {kept}.",
        "Check {variable}, or add the host to NO_PROXY, then restart the studio.",
    ),
    "network.certificate": (
        "The certificate of {url} can't be verified ({reason}); answers kept: {kept}.",
        "Set SLMOPS_CA_FILE to the file of your organization's certificates, then restart the studio.",
    ),
    "network.not_tls": (
        "{url} does not support HTTPS ({reason}); answers kept: {kept}.",
        "Check the port, or use http:// for a server on your own machine.",
    ),
    "network.ca_missing": (
        "{variable} points to {path}, which does not exist.",
        "Correct or unset {variable}, then restart the studio.",
    ),
    "network.ca_unreadable": (
        "{variable} points to {path}, which contains no readable certificates ({reason}).",
        "Point {variable} to a PEM file, then restart the studio.",
    ),
}
