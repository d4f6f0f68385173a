"""Each family's template gives the same tokens as transformers' own `apply_chat_template`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from backend.data.chat_template import Encoder
from backend.data.families import FAMILIES, Family, family_of, thinking_variable

pytestmark = pytest.mark.ml

ASKED = {"role": "user", "content": " ¿Qué hora es? 😀 "}
SAID = {"role": "assistant", "content": "<think>\nhm\n</think>\n\nLas dos."}
TOLD = {"role": "system", "content": "Be brief."}
TOOL = {"type": "function", "function": {"name": "time", "description": "Now <b>", "parameters": {"type": "object"}}}
CHATS = {"one": [ASKED], "turns": [ASKED, SAID, ASKED]}
TELLING = {"told": [TOLD, ASKED], "told_turns": [TOLD, ASKED, SAID, ASKED]}


def folder_of(folder: Path, family: Family, **more: Any) -> Path:
    """A tokenizer of bytes with the family's control tokens."""
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
    (folder / "tokenizer_config.json").write_text(
        json.dumps({**config, "chat_template": family.template, **more}), "utf-8"
    )
    return folder


def theirs(folder: Path, chat: list[dict[str, Any]], **more: Any) -> list[int]:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True, **more)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_tokens_are_those_of_transformers(tmp_path: Path, family: Family) -> None:
    folder = folder_of(tmp_path, family)
    encoder = Encoder(folder)
    takes_system = not encoder.conversation.folds_system
    assert takes_system == (family.name != "gemma")
    for name, chat in {**CHATS, **(TELLING if takes_system else {})}.items():
        assert encoder.ids(encoder.render(chat)) == theirs(folder, chat), name
        if "tools" in family.template and (family.name != "phi4_mini" or chat[0] is TOLD):
            assert encoder.ids(encoder.render(chat, tools=[TOOL])) == theirs(folder, chat, tools=[TOOL]), name
    assert encoder.end == family.end and family_of(encoder.template_source()) == family


@pytest.mark.parametrize(
    "family", [each for each in FAMILIES if "thinking" in each.template], ids=lambda each: each.name
)
@pytest.mark.parametrize("wanted", [True, False])
def test_thinking_is_turned_on_and_off_by_the_templates_own_name(tmp_path: Path, family: Family, wanted: bool) -> None:
    folder = folder_of(tmp_path, family)
    (folder / "conversation.json").write_text(json.dumps({"thinking": wanted}), "utf-8")
    encoder, name = Encoder(folder), thinking_variable(family.template)
    assert encoder.ids(encoder.render([ASKED])) == theirs(folder, [ASKED], **{name: wanted})


def test_a_refused_system_turn_is_folded_into_the_first_question(tmp_path: Path) -> None:
    gemma = next(each for each in FAMILIES if each.name == "gemma")
    encoder = Encoder(folder_of(tmp_path, gemma))
    both = {"role": "user", "content": "Be brief.\n\nHi"}
    hi = {"role": "user", "content": "Hi"}
    assert encoder.render([TOLD, hi]) == encoder.render([both])
    assert encoder.render([hi, hi]) == encoder.render([{"role": "user", "content": "Hi\n\nHi"}])


def test_named_templates_as_transformers_reads_them(tmp_path: Path) -> None:
    chatml = next(each for each in FAMILIES if each.name == "chatml")
    tools = "{%- if tools %}\n  {{- tools | tojson }}\n{%- endif %}\n" + chatml.template
    named = [{"name": "default", "template": chatml.template}, {"name": "tool_use", "template": tools}]
    folder = folder_of(tmp_path, chatml, chat_template=named)
    encoder = Encoder(folder)
    assert encoder.ids(encoder.render([ASKED])) == theirs(folder, [ASKED])
    assert encoder.ids(encoder.render([ASKED], tools=[TOOL])) == theirs(folder, [ASKED], tools=[TOOL])
    assert "talk.named_templates" in [each.code for each in encoder.conversation.findings]
