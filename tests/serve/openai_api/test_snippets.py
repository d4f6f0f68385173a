"""What people copy to ask a served model."""

from __future__ import annotations

import json
import shlex

from backend.serve.openai_api.snippets import curl, python

URL, NAME = "http://127.0.0.1:1/v1", 'my "own" model\'s'


def test_snippets_fit_the_shell_python_and_the_key() -> None:
    body = shlex.split(curl(URL, NAME, ""))[-1]
    assert json.loads(body) == {"model": NAME, "messages": [{"role": "user", "content": "Hello"}]}
    assert "Authorization" not in curl(URL, NAME, "") and '"Authorization: Bearer $MY_KEY"' in curl(URL, NAME, "MY_KEY")
    for key in ("", "MY_KEY"):
        compile(python(URL, NAME, key), "snippet", "exec")
    asked = "¿Qué tal, 'amiga'? \"sí\""
    assert json.loads(shlex.split(curl(URL, NAME, "", asked))[-1])["messages"][0]["content"] == asked
    compile(python(URL, NAME, "", asked), "snippet", "exec")
    assert 'os.environ["MY_KEY"]' in python(URL, NAME, "MY_KEY")
