"""How to ask a served model, to be copied: a line for a shell, a program with the `openai` package."""

from __future__ import annotations

import json
import shlex


def curl(url: str, model: str, key_env: str, question: str = "Hello") -> str:
    """`url` up to `/v1`; `key_env`: the variable with the key, empty when none is asked for; `question`: an example."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": question}]}, ensure_ascii=False)
    key = f' -H "Authorization: Bearer ${key_env}"' if key_env else ""
    return f"curl {url}/chat/completions{key} -H 'Content-Type: application/json' -d {shlex.quote(body)}"


def python(url: str, model: str, key_env: str, question: str = "Hello") -> str:
    key = f'os.environ["{key_env}"]' if key_env else '"none"'
    head = "import os\n\nfrom openai import OpenAI" if key_env else "from openai import OpenAI"
    return f"""{head}

client = OpenAI(base_url={json.dumps(url)}, api_key={key})
answer = client.chat.completions.create(
    model={json.dumps(model, ensure_ascii=False)},
    messages=[{{"role": "user", "content": {json.dumps(question, ensure_ascii=False)}}}],
    stream=True,
)
for chunk in answer:
    print(chunk.choices[0].delta.content or "", end="")
"""
