"""Whether conversations become the tokens that transformers makes of them.

`python -m benchmarks.chat_templates [FOLDER ...] [--write]`

Each family's template with a tokenizer of bytes, and each FOLDER with a real `tokenizer.json` and `tokenizer_config.json` (by
hand; none is part of this repository), renders the conversations of CASES: once by the studio, once by transformers'
`apply_chat_template`. `--write` puts what came out into chat_templates.json, which docs/reference shows. A second a family.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.data.chat_template import Encoder
from backend.data.dataset import Message
from backend.data.families import FAMILIES, Family, thinking_variable

TABLE = Path(__file__).with_name("chat_templates.json")
ASKED: Message = {"role": "user", "content": " ¿Qué hora es? 😀 "}
SAID: Message = {"role": "assistant", "content": "<think>\nhm\n</think>\n\nLas dos."}
TOLD: Message = {"role": "system", "content": "Be brief."}
BOTH: Message = {"role": "user", "content": f"{TOLD['content']}\n\n{ASKED['content']}"}
TOOL = {"type": "function", "function": {"name": "time", "description": "Now <b>", "parameters": {"type": "object"}}}
_CALL = {"id": "call00001", "type": "function", "function": {"name": "time", "arguments": {"zone": "Europe/Madrid"}}}
CALLING: Message = {"role": "assistant", "content": "", "tool_calls": [_CALL]}
RESULT: Message = {"role": "tool", "name": "time", "tool_call_id": "call00001", "content": "14:00"}

CASES: dict[str, tuple[list[Message], bool]] = {
    "question": ([ASKED], False),
    "turns": ([ASKED, SAID, ASKED], False),
    "system": ([TOLD, ASKED], False),
    "system, turns": ([TOLD, ASKED, SAID, ASKED], False),
    "tools": ([ASKED], True),
    "system, tools": ([TOLD, ASKED], True),
    "call, result": ([ASKED, CALLING, RESULT], True),
}
"""Messages, and whether a tool is offered."""
THINKING = ("thinking", "no thinking")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="with the tokenizer of a real model")
    parser.add_argument("--write", action="store_true", help="keep the result beside this file")
    options = parser.parse_args()
    rows = []
    for family in FAMILIES:
        with tempfile.TemporaryDirectory() as folder:
            rows.append({"name": f"{family.title}, own template", **try_folder(family_folder(Path(folder), family))})
            print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    for folder in options.folders:
        rows.append({"name": f"{folder.name}, real tokenizer", **try_folder(folder)})
        print(json.dumps(rows[-1], ensure_ascii=False), flush=True)
    if options.write:
        packages = {name: version(name) for name in ("transformers", "tokenizers")}
        write_json(TABLE, {"packages": packages, "rows": rows})


def try_folder(source: Path) -> dict[str, str]:
    """Case -> “equal”, “folded” (equal where the system turn became part of the question, because the template refuses one),
    “no place” (the template leaves tools out, which the studio says), “refused” (by the template) or “differs”."""
    encoder, reference = Encoder(source), AutoTokenizer.from_pretrained(str(source), local_files_only=True)
    found = {}
    for case, (chat, offers) in CASES.items():
        tools = [TOOL] if offers else None
        found[case] = compared(encoder, reference, chat, tools, encoder.conversation.folds_system)
    name = thinking_variable(encoder.template_source())
    for case in THINKING:
        if name:
            encoder.conversation.thinking = case == THINKING[0]
            mine = encoder.ids(encoder.render([ASKED]))
            same = mine == theirs(reference, [ASKED], **{name: case == THINKING[0]})
            found[case] = "equal" if same else "differs"
        else:
            found[case] = "–"
    return found


def compared(
    encoder: Encoder, reference: Any, chat: list[Message], tools: list[dict[str, Any]] | None, folds: bool
) -> str:
    """One case in one word."""
    expected = _or_none(lambda: theirs(reference, chat, tools=tools))
    word = "equal"
    if folds and chat[0] is TOLD:
        expected, word = _or_none(lambda: theirs(reference, [BOTH, *chat[2:]], tools=tools)), "folded"
    try:
        mine = encoder.ids(encoder.render(chat, tools=tools))
    except StudioError:
        return "no place"
    except (TemplateError, TypeError):
        return "refused" if expected is None else "differs"
    return word if mine == expected else "differs"


def _or_none(render: Callable[[], list[int]]) -> list[int] | None:
    try:
        return render()
    except (TemplateError, TypeError):
        return None


def theirs(reference: Any, chat: list[Message], **more: Any) -> list[int]:
    """The tokens of transformers' own rendering."""
    text = reference.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **more)
    ids: list[int] = reference(text, add_special_tokens=False)["input_ids"]
    return ids


def family_folder(folder: Path, family: Family, **more: Any) -> Path:
    """A tokenizer of bytes with the family's template and control tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({byte: number for number, byte in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True) for token in ("<bos>", "<eos>", "<think>", family.end)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    eos = family.end if family.name in ("mistral", "deepseek") else "<eos>"
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<bos>", "eos_token": eos}
    content = {**config, "chat_template": family.template, **more}
    (folder / "tokenizer_config.json").write_text(json.dumps(content), "utf-8")
    return folder


if __name__ == "__main__":
    main()
