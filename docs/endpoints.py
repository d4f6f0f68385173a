"""Writes docs/endpoints.md: every preset by every fault, asked for real against a local server that replays what the services
send. `python -m docs.endpoints [--check]`; with `--check` nothing is written, and the exit code is 1 where the page differs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.core.endpoints import PRESETS, PresetName
from tests.providers import replay
from tests.providers.replay import Seen

PAGE = Path(__file__).with_name("endpoints.md")
_PROXIES = tuple(f"{kind}_proxy" for kind in ("http", "https", "all"))
_WORDS = {
    "chat.endpoint_key": "stops: key refused",
    "chat.endpoint_no_key": "stops: key required",
    "keys.wanted": "stops: key required",
    "chat.endpoint_not_found": "stops: no such model",
    "chat.endpoint_refused": "refused, with its reason",
    "chat.endpoint_busy": "tries again, then stops",
    "chat.endpoint_failed": "tries again, then stops",
    "chat.endpoint_broken": "tries again, then stops",
    "chat.endpoint_unreachable": "tries again, then stops",
    "chat.endpoint_silent": "tries again, then stops",
    "chat.endpoint_garbage": "tries again, then stops",
    "answers.endpoint_error": "tries again, then stops",
    "wire.quota": "stops: no quota left",
    "wire.wait_too_long": "stops, names the time",
    "wire.filtered": "this row has no answer",
    "wire.redirect": "stops: redirect named",
    "wire.too_large": "stops: reply too large",
    "text": "answer",
    "reasoning": "answer, reasoning apart",
    "cut": "answer, marked as cut off",
    "refused": "this row has no answer",
    "empty": "empty answer",
}
_INTRO = """# Endpoints: what services answer, what you see

<!-- Written by `python -m docs.endpoints` from the client and tests/providers/recorded; a test compares. -->

| what comes | what the studio does |
|---|---|
| reasoning in a field, a part or `<think>` | kept apart from the answer, also when it never ends |
| content as a list of parts | the parts of text are joined |
| an answer cut off by length or a filter | marked as cut off |
| a model or filter that declines | that row has no answer, the job goes on |
| a refused `temperature`, `top_p`, `seed`, `logprobs` or `max_tokens` | left out or renamed, said in the log once, remembered \
for this address and model until the next test |
| only streams, or never | whole answers from streams, or streams in one piece; remembered too |
| 408, 409, 425, 429, 5xx, cut connections, silence, garbage | tried again, “Retries” times, with growing pauses |
| `Retry-After` (seconds or date), `retry-after-ms`, “try again in 20s” | all requests keep that pause; beyond 15 minutes the \
job ends and names the time |
| no quota, no credit (402, `insufficient_quota`, spend limits) | the job ends at once |
| a redirect | named, never followed: it would take the key along |
| a reply above 32 MB, unpacked | the job ends |
| half a character (lone surrogate) | replaced by � |
| errors | in the service's own words, at most 200 characters (80 of what is no error of a known shape), secrets masked |

Answers that are there are kept in every case; a retry asks for the missing ones only.

| setting | what it does |
|---|---|
| `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` | proxies, SOCKS too (`pip install 'httpx[socks]'`); never for this machine itself |
| `NO_PROXY` | names, addresses (IPv6 with or without brackets), networks such as `10.0.0.0/8`, each with a port if needed |
| `SLMOPS_CA_FILE` | your organization's certificates, added to the system's; `SSL_CERT_FILE` replaces them |
| `SLMOPS_ENDPOINT_HOSTS` | the only hosts that may be asked, such as `api.openai.com,*.internal` |
| extra headers, body fields | of a saved endpoint; a secret is written as `${NAME_API_KEY}` or `${key}` |
| requests and tokens per minute | of a saved endpoint; requests are spread evenly below both |

Metadata services of clouds (169.254.169.254 and others) are refused in any notation. `~/.netrc` is not read.
"""


def page() -> str:
    """The whole page; asks some 300 requests of local servers."""
    with _environment():
        seen = {preset: _all_seen(preset) for preset in PRESETS}
    cases = {preset: replay.recorded(preset) for preset in PRESETS}
    faults = list(dict.fromkeys(name.partition(",")[0] for preset in PRESETS for name in cases[preset]))
    parts = [
        _INTRO,
        "## Presets by faults",
        "Words of the services in the upper part, what any of them or the network between can do in the lower. –: not known "
        "of this service.",
        _matrix(faults, seen),
        _matrix(list(replay.ANYWHERE), seen),
        "## In full",
        "None of this was recorded with an account of ours: replies are written down from the page that is linked. * marks "
        "pages that are named from memory and were not opened again.",
    ]
    parts += [_preset(preset, cases[preset], seen[preset]) for preset in PRESETS]
    first: PresetName = "openai"
    parts += ["### Any service", "Shown for OpenAI.", _anywhere(seen[first])]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def main(arguments: list[str]) -> int:
    text = page()
    if "--check" not in arguments:
        PAGE.write_text(text, "utf-8")
        return 0
    same = PAGE.is_file() and PAGE.read_text("utf-8") == text
    if not same:
        sys.stderr.write("docs/endpoints.md differs from what the client does: python -m docs.endpoints\n")
    return 0 if same else 1


def _all_seen(preset: PresetName) -> dict[str, Seen]:
    cases = replay.recorded(preset) | replay.ANYWHERE
    return {name: replay.see(preset, case) for name, case in cases.items()}


def _matrix(faults: list[str], seen: Mapping[PresetName, Mapping[str, Seen]]) -> str:
    rows = [["", *(PRESETS[preset].title for preset in PRESETS)]]
    for fault in faults:
        found = [
            [_word(one.what) for name, one in seen[preset].items() if name.partition(",")[0] == fault]
            for preset in PRESETS
        ]
        rows.append([f"**{fault}**", *(" / ".join(dict.fromkeys(each)) or "–" for each in found)])
    return _table(rows)


def _preset(preset: PresetName, cases: Mapping[str, Any], seen: Mapping[str, Seen]) -> str:
    rows = [["case", "what comes", "what you see"]]
    for name, case in cases.items():
        mark = "" if case["looked_up"] else "*"
        rows.append([f"[{name}]({case['source']}){mark}", _sent(case), seen[name].text])
    return f"### {PRESETS[preset].title}\n\n{replay.about(preset)}\n\n{_table(rows)}"


def _anywhere(seen: Mapping[str, Seen]) -> str:
    rows = [["case", "what you see"]]
    return _table(rows + [[name, seen[name].text] for name in replay.ANYWHERE])


def _sent(case: Mapping[str, Any]) -> str:
    headers = "".join(f", `{name}: {value}`" for name, value in case.get("headers", {}).items())
    refuses = f" while `{case['refuses']}` is sent" if "refuses" in case else ""
    return f"{case['status']}{headers}{refuses}"


def _word(what: str) -> str:
    if what.startswith("waits "):
        return "waits, then answers"
    if what.startswith(("without ", "with ")):
        how, _, name = what.partition(" ")
        return f"answer {how} `{name}`"
    return _WORDS[what]


def _table(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


@contextmanager
def _environment() -> Iterator[None]:
    """Keys for the presets that want one, and no proxy."""
    keys = {preset.key_env: replay.KEY for preset in PRESETS.values() if preset.key_env}
    before = dict(os.environ)
    os.environ.update(keys)
    for name in (*_PROXIES, *map(str.upper, _PROXIES), "SLMOPS_ENDPOINT_HOSTS"):
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
