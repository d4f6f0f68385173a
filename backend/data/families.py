"""Families of chat templates: one row each, with a small template of our own that has the family's features.

A model keeps its own template; a row names the family on the model's card, and its template can be chosen for a model that
brings none. Features as the makers document them; `tests/data/test_families.py` compares all with transformers' rendering.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_THINKING = re.compile(r"\b(enable_thinking|thinking)\b(?!\s*[:'\"])")


@dataclass(frozen=True)
class Family:
    """`mark`: what only templates of this family write. `end`: ends the model's turn. `template`: ours."""

    name: str
    title: str
    mark: str
    end: str
    template: str


def family_of(template: str) -> Family | None:
    """The family whose mark a template holds."""
    return next((family for family in FAMILIES if family.mark in template), None)


def thinking_variable(template: str) -> str:
    """The variable by which a template turns thinking on or off, "" when it has none."""
    inside = " ".join(re.findall(r"{[%{].*?[%}]}", template, re.DOTALL))
    found = _THINKING.search(re.sub(r"'[^']*'|\"[^\"]*\"", "", inside))
    return found[1] if found else ""


_CHATML = """\
{%- for m in messages %}
    {{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""
_QWEN3 = """\
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
    {{- '# Tools\\n\\n<tools>' }}
    {%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
    {{- '\\n</tools><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for m in messages if m.role != 'system' %}
    {%- set said = m.content.split('</think>')[-1].lstrip('\\n') if m.role == 'assistant' else m.content %}
    {%- if m.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + said + '\\n</tool_response><|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + m.role + '\\n' + said }}
        {%- for call in m.tool_calls or [] %}
            {{- '<tool_call>\\n' + (call.function | tojson) + '\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}
"""
_LLAMA3 = """\
{{- bos_token }}
{%- if messages[0].role == 'system' %}
    {%- set told, turns = messages[0].content | trim, messages[1:] %}
{%- else %}
    {%- set told, turns = '', messages %}
{%- endif %}
{%- if tools or told %}
    {{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}
    {%- if tools %}
        {{- 'You can call these functions:\\n\\n' }}
        {%- for tool in tools %}{{- (tool | tojson(indent=4)) + '\\n\\n' }}{%- endfor %}
    {%- endif %}
    {{- told + '<|eot_id|>' }}
{%- endif %}
{%- for m in turns %}
    {%- set role = 'ipython' if m.role == 'tool' else m.role %}
    {{- '<|start_header_id|>' + role + '<|end_header_id|>\\n\\n' }}
    {%- for call in m.tool_calls or [] %}
        {{- '{"name": "' + call.function.name + '", "parameters": ' + (call.function.arguments | tojson) + '}' }}
    {%- endfor %}
    {{- (m.content | trim) + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}
"""
_PHI3 = """\
{%- for m in messages %}
    {{- '<|' + m.role + '|>\\n' + m.content + '<|end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>\\n' }}{%- endif %}
"""
_PHI4_MINI = """\
{%- for m in messages %}
    {{- '<|' + m.role + '|>' + m.content }}
    {%- if m.role == 'system' and tools %}{{- '<|tool|>' + (tools | tojson) + '<|/tool|>' }}{%- endif %}
    {{- '<|end|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- else %}{{- eos_token }}{%- endif %}
"""
_PHI4 = """\
{%- for m in messages %}
    {{- '<|im_start|>' + m.role + '<|im_sep|>' + m.content + '<|im_end|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant<|im_sep|>' }}{%- endif %}
"""
_GEMMA = """\
{{- bos_token }}
{%- if messages[0].role == 'system' %}{{- raise_exception('System role not supported') }}{%- endif %}
{%- for m in messages %}
    {%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
    {%- set role = 'model' if m.role == 'assistant' else m.role %}
    {{- '<start_of_turn>' + role + '\\n' + (m.content | trim) + '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<start_of_turn>model\\n' }}{%- endif %}
"""
_MISTRAL = """\
{{- bos_token }}
{%- set told = messages[0].content if messages[0].role == 'system' else '' %}
{%- set turns = messages[1:] if told else messages %}
{%- for m in turns %}
    {%- if m.role == 'user' %}
        {%- if turns[loop.index0 - 1].role == 'user' and not loop.first %}
            {{- raise_exception('After the optional system message, conversation roles must alternate') }}
        {%- endif %}
        {%- if loop.last and tools %}{{- '[AVAILABLE_TOOLS] ' + (tools | tojson) + '[/AVAILABLE_TOOLS]' }}{%- endif %}
        {{- '[INST] ' + (told + '\\n\\n' if told and loop.last else '') + m.content + '[/INST]' }}
    {%- elif m.tool_calls %}
        {{- '[TOOL_CALLS] [' }}
        {%- for call in m.tool_calls %}{{- (call.function | tojson) + (', ' if not loop.last else '') }}{%- endfor %}
        {{- ']' + eos_token }}
    {%- elif m.role == 'tool' %}
        {{- '[TOOL_RESULTS] ' + ({'content': m.content} | tojson) + '[/TOOL_RESULTS]' }}
    {%- else %}
        {{- ' ' + m.content + eos_token }}
    {%- endif %}
{%- endfor %}
"""
_DEEPSEEK = """\
{{- bos_token }}
{%- for m in messages if m.role == 'system' %}{{- m.content }}{%- endfor %}
{%- for m in messages if m.role != 'system' %}
    {%- if m.role == 'user' %}
        {{- '<｜User｜>' + m.content }}
    {%- else %}
        {{- '<｜Assistant｜>' + m.content.split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<｜Assistant｜>' + ('<think>' if thinking is defined and thinking else '</think>') }}
{%- endif %}
"""

FAMILIES = (
    Family("phi4", "Phi-4", "<|im_sep|>", "<|im_end|>", _PHI4),
    Family("qwen3", "Qwen3", "enable_thinking", "<|im_end|>", _QWEN3),
    Family("chatml", "ChatML", "<|im_start|>", "<|im_end|>", _CHATML),
    Family("llama3", "Llama 3", "<|start_header_id|>", "<|eot_id|>", _LLAMA3),
    Family("gemma", "Gemma", "<start_of_turn>", "<end_of_turn>", _GEMMA),
    Family("deepseek", "DeepSeek", "<｜Assistant｜>", "<｜end▁of▁sentence｜>", _DEEPSEEK),
    Family("mistral", "Mistral", "[INST]", "</s>", _MISTRAL),
    Family("phi4_mini", "Phi-4 mini", "<|/tool|>", "<|end|>", _PHI4_MINI),
    Family("phi3", "Phi-3", "<|end|>", "<|end|>", _PHI3),
)
"""Those whose mark another family's templates may hold too come after it."""
