"""A model folder with a byte-level tokenizer and chat templates of our own, without torch."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from backend.data.chat_template import Encoder

CONTROL = ("<|start|>", "<|end|>")
PLAIN = (
    "{% for m in messages %}{{ '<|start|>' + m['role'] + '\n' + m['content'] + '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
)
"""Has no place for tools."""
STRIPS = (
    "{% for m in messages %}{{ '<|start|>' + m.role + '\n' }}"
    "{{ m.content if m.role != 'assistant' or loop.last else m.content.split('</think>')[-1] }}{{ '<|end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
)
"""Leaves the reasoning of earlier turns out, as Qwen's does."""
TOOLS = """\
{%- if tools %}
    {{- '<|start|>system\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\n\n' }}{% endif %}
    {{- '<tools>' }}{% for tool in tools %}{{- '\n' + (tool | tojson) }}{% endfor %}{{- '\n</tools><|end|>\n' }}
{%- elif messages[0].role == 'system' %}
    {{- '<|start|>system\n' + messages[0].content + '<|end|>\n' }}
{%- endif %}
{%- for m in messages if m.role != 'system' %}
    {{- '<|start|>' + m.role + '\n' + m.content }}
    {%- for call in m.tool_calls or [] %}
        {{- '<call>' + ({'name': call.function.name, 'arguments': call.function.arguments} | tojson) + '</call>' }}
    {%- endfor %}
    {{- '<|end|>\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start|>assistant\n' }}{% endif %}"""
"""Features of the templates of Qwen and Hermes: tools in the system turn, calls as JSON."""


def encoder(folder: Path, template: str = PLAIN) -> Encoder:
    """A tokenizer of bytes with two control tokens and one added word (`<call>`) that is no control token."""
    folder.mkdir(parents=True, exist_ok=True)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({byte: number for number, byte in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(CONTROL[0], special=True)])
    tokenizer.add_tokens([AddedToken("<call>", normalized=False)])
    tokenizer.add_special_tokens([AddedToken(CONTROL[1], special=True)])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"bos_token": CONTROL[0], "eos_token": CONTROL[1], "chat_template": template}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return Encoder(folder)
