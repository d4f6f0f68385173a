"""How to ask a served model, to be copied: a line for a shell, a program with the `openai` package."""

from __future__ import annotations

import json
import shlex


def curl(url: str, model: str, key_env: str) -> str:
    """`url` up to `/v1`; `key_env`: the variable with the key, empty when none is asked for."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hello"}]}, ensure_ascii=False)
    key = f' -H "Authorization: Bearer ${key_env}"' if key_env else ""
    return f"curl {url}/chat/completions{key} -H 'Content-Type: application/json' -d {shlex.quote(body)}"


def python(url: str, model: str, key_env: str) -> str:
    key = f'os.environ["{key_env}"]' if key_env else '"none"'
    head = "import os\n\nfrom openai import OpenAI" if key_env else "from openai import OpenAI"
    return f"""{head}

client = OpenAI(base_url={json.dumps(url)}, api_key={key})
answer = client.chat.completions.create(
    model={json.dumps(model, ensure_ascii=False)},
    messages=[{{"role": "user", "content": "Hello"}}],
    stream=True,
)
for chunk in answer:
    print(chunk.choices[0].delta.content or "", end="")
"""
