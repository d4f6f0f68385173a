"""Chat templates of the families, in the form that their models carry, taken apart and put together again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.data.chat_template import Encoder
from backend.data.dataset import Template
from backend.packaging.package_folder import PromptTemplate, prompt_template
from backend.packaging.prompt_parts import RoleAffixes, split_chat_template, supports_system_message

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
QWEN = (
    "{%- if messages[0]['role'] == 'system' %}\n"
    "    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}\n"
    "{%- else %}\n"
    "    {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}\n"
    "{%- endif %}\n"
    "{%- for message in messages %}\n"
    "    {%- if message.role == 'user' or message.role == 'assistant' %}\n"
    "        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n"
    "    {%- endif %}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n"
)
LLAMA3 = (
    "{{- bos_token }}\n"
    "{%- for message in messages %}\n"
    "    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}\n"
    "    {{- message['content'] | trim + '<|eot_id|>' }}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}\n{%- endif %}\n"
)
PHI3 = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ '<|system|>\n' + message['content'] + '<|end|>\n' }}"
    "{% elif message['role'] == 'user' %}{{ '<|user|>\n' + message['content'] + '<|end|>\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ '<|assistant|>\n' + message['content'] + '<|end|>\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
GEMMA = (
    "{{ bos_token }}\n"
    "{%- if messages[0]['role'] == 'system' -%}\n"
    "    {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}\n"
    "    {%- set loop_messages = messages[1:] -%}\n"
    "{%- else -%}\n"
    '    {%- set first_user_prefix = "" -%}\n'
    "    {%- set loop_messages = messages -%}\n"
    "{%- endif -%}\n"
    "{%- for message in loop_messages -%}\n"
    "    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}\n"
    '        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}\n'
    "    {%- endif -%}\n"
    "    {%- if (message['role'] == 'assistant') -%}{%- set role = \"model\" -%}\n"
    "    {%- else -%}{%- set role = message['role'] -%}{%- endif -%}\n"
    "    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else \"\") }}\n"
    "    {{- message['content'] | trim }}{{ '<end_of_turn>\n' }}\n"
    "{%- endfor -%}\n"
    "{%- if add_generation_prompt -%}\n    {{ '<start_of_turn>model\n' }}\n{%- endif -%}\n"
)
MISTRAL = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
)
"""Mistral 7B Instruct: no system message, and nothing that opens an answer."""


def model(folder: Path, template: str) -> Path:
    config = {"bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder


def found(folder: Path, template: str, system: str = "Be brief.") -> PromptTemplate:
    return prompt_template(Encoder(model(folder, template)), Template(system=system), "it")


def test_chatml(tmp_path: Path) -> None:
    assert found(tmp_path, CHATML).content == {
        "system": "<|im_start|>system\n{Content}<|im_end|>\n",
        "user": "<|im_start|>user\n{Content}<|im_end|>\n",
        "assistant": "<|im_start|>assistant\n{Content}<|im_end|>\n",
        "prompt": "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{Content}<|im_end|>\n<|im_start|>assistant\n",
    }


def test_qwen_has_a_system_message_of_its_own(tmp_path: Path) -> None:
    made = found(tmp_path, QWEN, system="")
    assert made.content["system"] == "<|im_start|>system\n{Content}<|im_end|>\n"
    assert made.content["prompt"].startswith(
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user"
    )
    read = split_chat_template(Encoder(tmp_path))
    assert read and read.prefix == "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"


def test_llama(tmp_path: Path) -> None:
    content = found(tmp_path, LLAMA3).content
    assert content["system"] == "<s><|start_header_id|>system<|end_header_id|>\n\n{Content}<|eot_id|>"
    assert content["user"] == "<|start_header_id|>user<|end_header_id|>\n\n{Content}<|eot_id|>"
    assert content["prompt"].endswith("{Content}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n")


def test_phi(tmp_path: Path) -> None:
    content = found(tmp_path, PHI3).content
    assert content["user"] == "<|user|>\n{Content}<|end|>\n"
    assert content["prompt"] == "<|system|>\nBe brief.<|end|>\n<|user|>\n{Content}<|end|>\n<|assistant|>\n"


def test_gemma_puts_the_system_message_into_the_first_question(tmp_path: Path) -> None:
    """So there is no piece for it, only the whole prompt, and that is said."""
    made = found(tmp_path, GEMMA)
    whole = "<s><start_of_turn>user\nBe brief.\n\n{Content}<end_of_turn>\n<start_of_turn>model\n"
    assert made.content == {"assistant": "{Content}", "prompt": whole}
    assert len(made.notes) == 1 and "a piece per role" in made.notes[0]


def test_mistral_takes_no_system_message(tmp_path: Path) -> None:
    read = split_chat_template(Encoder(model(tmp_path, MISTRAL)))
    assert read and read.system is None and not supports_system_message(Encoder(tmp_path))
    assert (
        read.user == RoleAffixes("[INST] ", " [/INST]")
        and read.assistant == RoleAffixes("", "</s>")
        and read.generation_prompt == ""
    )
    made = found(tmp_path, MISTRAL, system="")
    assert made.content["prompt"] == "<s>[INST] {Content} [/INST]" and "system" not in made.content


def test_a_template_that_writes_the_date_says_so(tmp_path: Path) -> None:
    made = found(tmp_path, "{{ 'Today: ' + strftime_now('%d %b %Y') + '\n' }}" + CHATML)
    assert len(made.notes) == 1 and "date" in made.notes[0]


@pytest.mark.parametrize(
    "change",
    [
        "{% if loop.last %}!{% endif %}",  # depends on what comes after
        "{% if loop.index0 == 3 %}!{% endif %}",  # shows only in a longer conversation
        "{{ message['content'] if message['role'] == 'assistant' }}",  # an answer stands there twice
    ],
)
def test_what_a_piece_per_role_can_not_say_is_noticed(tmp_path: Path, change: str) -> None:
    changed = CHATML.replace("{% endfor %}", change + "{% endfor %}", 1)
    assert split_chat_template(Encoder(model(tmp_path, changed))) is None
    assert found(tmp_path, changed).notes
