"""What the files of an export say, against those of the model that it was made from. Neither torch nor ONNX Runtime."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError

from backend.checks.check import Check, at_most
from backend.core.artifacts import MANIFEST, read_manifest, sha256
from backend.data.chat_template import Encoder
from backend.data.dataset import Message, Row, Template
from backend.packaging.package_folder import CHECKSUMS_FILE, load_template
from backend.packaging.prompt_parts import CONTENT_PLACEHOLDER

PROMPT_FILE = "inference_model.json"
MAX_EXAMPLES = 3
"""How many texts that differ are named."""


@dataclass(frozen=True)
class ExportPair:
    """The folder of an export, and the folders of its original: its own, then for an adapter those of its bases.
    `chats`: all that both have to turn into the same text and tokens, `texts`: single texts."""

    export: Path
    originals: Sequence[Path]
    template: Template
    chats: Sequence[list[Message]]
    texts: Sequence[str]

    @property
    def export_encoder(self) -> Encoder:
        return Encoder(self.export)

    @property
    def original_encoder(self) -> Encoder:
        return Encoder(self.originals[0])

    @property
    def is_package(self) -> bool:
        """Whether the export is a package: that puts the trained system prompt before a conversation without one, and bounds
        the context tokens for prompt and answer."""
        return (self.export / PROMPT_FILE).is_file()

    def expected_prompt(self, chat: list[Message]) -> str:
        """What the export should make of a conversation."""
        system = self.template.system if self.is_package and chat[0]["role"] != "system" else ""
        begun: list[Message] = [{"role": "system", "content": system}] if system else []
        return self.original_encoder.render(begun + chat)


def supported_chats(encoder: Encoder, chats: Sequence[list[Message]]) -> list[list[Message]]:
    """Those that the chat template takes: some refuse a system's message."""
    found = []
    for chat in chats:
        try:
            encoder.render(chat)
        except TemplateError:
            continue
        found.append(chat)
    return found


def compare_files(pair: ExportPair) -> list[Check]:
    """One check for each thing that can be told without running the model. What the export lacks or garbles fails."""
    checks: dict[str, Callable[[ExportPair], Check | None]] = {
        "files": _files,
        "template": _template,
        "prompt": _prompt,
        "vocabulary": _vocabulary,
        "token_ids": _token_ids,
        "round_trip": _round_trip,
        "special_tokens": _special_tokens,
        "stop_tokens": _stop_tokens,
        "context": _context,
    }
    return [found for name, look in checks.items() if (found := _run_check(name, look, pair)) is not None]


def _run_check(name: str, look: Callable[[ExportPair], Check | None], pair: ExportPair) -> Check | None:
    """Whatever a broken file makes a library raise is the finding."""
    try:
        return look(pair)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        return at_most(name, None, 0, args={"reason": reason})


def _files(pair: ExportPair) -> Check | None:
    """Against the hashes that lie beside an artifact or a package."""
    if (pair.export / MANIFEST).is_file():
        hashes = {pair.export / name: digest for name, digest in read_manifest(pair.export).files.items()}
    elif (sums := pair.export.parent / CHECKSUMS_FILE).is_file():
        lines = [line.split("  ", 1) for line in sums.read_text("utf-8").splitlines()]
        hashes = {sums.parent / name: digest for digest, name in lines}
    else:
        return None
    wrong = [path.name for path, digest in hashes.items() if not path.is_file() or sha256(path) != digest]
    return _count("files", wrong)


def _template(pair: ExportPair) -> Check:
    """The rendered prompts, and the task's wording where both sides keep one."""
    wrong = [_shortened(chat) for chat in pair.chats if pair.export_encoder.render(chat) != pair.expected_prompt(chat)]
    known = [folder for folder in (pair.export, pair.originals[0]) if (folder / "template.json").is_file()]
    if known and (len(known) == 1 or load_template(known[0]) != load_template(known[1])):
        wrong.append("template.json")
    return _count("template", wrong, total=len(pair.chats) + bool(known))


def _prompt(pair: ExportPair) -> Check | None:
    """What a package tells its users to send, against what the original was asked with."""
    file = pair.export / PROMPT_FILE
    if not pair.is_package:
        return None
    prompt = json.loads(file.read_text("utf-8"))["PromptTemplate"]["prompt"]
    template = load_template(pair.originals[0])
    asked = {text: pair.original_encoder.render(template.prompt(Row(id="0", input=text))) for text in pair.texts}
    wrong = [text[:60] for text, right in asked.items() if prompt.replace(CONTENT_PLACEHOLDER, text) != right]
    return _count("prompt", wrong, total=len(asked))


def _vocabulary(pair: ExportPair) -> Check:
    export_encoder, original_encoder = pair.export_encoder.vocabulary(), pair.original_encoder.vocabulary()
    wrong = sorted(
        token
        for token in {*export_encoder, *original_encoder}
        if export_encoder.get(token) != original_encoder.get(token)
    )
    return _count("vocabulary", wrong, total=len(original_encoder))


def _token_ids(pair: ExportPair) -> Check:
    texts = [*(pair.original_encoder.render(chat) for chat in pair.chats), *pair.texts]
    export_encoder, original_encoder = pair.export_encoder, pair.original_encoder
    wrong = [text[-60:] for text in texts if export_encoder.ids(text) != original_encoder.ids(text)]
    return _count("token_ids", wrong, total=len(texts))


def _round_trip(pair: ExportPair) -> Check:
    """Text to tokens and back: by the export alone, and the original's tokens read by the export."""
    export_encoder, original_encoder = pair.export_encoder, pair.original_encoder
    wrong = []
    for text in pair.texts:
        right = original_encoder.text(original_encoder.ids(text))
        if (
            export_encoder.text(export_encoder.ids(text)) != right
            or export_encoder.text(original_encoder.ids(text)) != right
        ):
            wrong.append(text[:60])
    return _count("round_trip", wrong, total=len(pair.texts))


def _special_tokens(pair: ExportPair) -> Check:
    """Begin, end and padding by tokenizer_config.json; genai_config.json has to begin as one of the original's files says."""
    export_encoder, original_encoder = pair.export_encoder, pair.original_encoder
    names = ("bos", "eos", "pad", "unk")
    wrong = [f"{name}_token" for name in names if export_encoder.special(name) != original_encoder.special(name)]
    begins = {
        _id(original_encoder, "bos"),
        *(value for config in _configs(pair) for value in _ids(config.get("bos_token_id"))),
    }
    begins.discard(None)
    if begins and _genai(pair).get("bos_token_id") not in begins:
        wrong.append("genai_config.json: bos_token_id")
    return _count("special_tokens", wrong)


def _stop_tokens(pair: ExportPair) -> Check:
    """All of the original's ends of turn, and no other, have to stand in genai_config.json: the runtime stops at no others."""
    own = _id(pair.original_encoder, "eos")
    wanted: set[int] = set() if own is None else {own}
    said = (_ids(config.get("eos_token_id")) for config in _configs(pair))
    wanted |= next((ids for ids in said if ids), set())
    there = _ids(_genai(pair).get("eos_token_id"))
    vocabulary = {at: token for token, at in pair.original_encoder.vocabulary().items()}
    wrong = [f"- {vocabulary.get(at, at)}" for at in sorted(wanted - there)]
    wrong += [f"+ {vocabulary.get(at, at)}" for at in sorted(there - wanted)]
    return _count("stop_tokens", wrong, total=len(wanted))


def _context(pair: ExportPair) -> Check | None:
    """Tokens that the export reads fewer than its original."""
    if pair.is_package:
        return None
    config = json.loads((pair.export / "genai_config.json").read_text("utf-8"))
    here = min(int(config["model"]["context_length"]), int(config["search"]["max_length"]))
    known = [config.get("max_position_embeddings") for config in _configs(pair)]
    whole = next((int(value) for value in known if value), here)
    return at_most("context", max(0, whole - here), 0, args={"here": here, "whole": whole})


def _configs(pair: ExportPair) -> list[dict[str, Any]]:
    """What the original says of itself, as its own library reads it: generation_config.json before config.json."""
    names = ("generation_config.json", "config.json")
    files = [folder / name for folder in pair.originals for name in names if (folder / name).is_file()]
    return [json.loads(file.read_text("utf-8")) for file in files]


def _genai(pair: ExportPair) -> dict[str, Any]:
    model: dict[str, Any] = json.loads((pair.export / "genai_config.json").read_text("utf-8"))["model"]
    return model


def _id(encoder: Encoder, name: str) -> int | None:
    found: int | None = encoder.tokenizer.token_to_id(encoder.special(name))
    return found


def _ids(value: Any) -> set[int]:
    return set(value) if isinstance(value, list) else set() if value is None else {value}


def _count(name: str, wrong: Sequence[str], total: int = 0) -> Check:
    args = {"count": len(wrong), "total": total, "examples": ", ".join(wrong[:MAX_EXAMPLES])}
    return at_most(name, len(wrong), 0, args=args, detail={"wrong": list(wrong[:20])})


def _shortened(chat: list[Message]) -> str:
    return " / ".join(f"{message['role']}: {message['content'][:40]}" for message in chat)[:120]
