"""Each family's template gives the same tokens as transformers' own `apply_chat_template`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.data.chat_template import Encoder
from backend.data.families import FAMILIES, Family, family_of, thinking_variable
from benchmarks import chat_templates
from benchmarks.chat_templates import ASKED, CASES, TABLE, TOLD, TOOL, try_folder
from benchmarks.chat_templates import family_folder as folder_of

pytestmark = pytest.mark.ml


def theirs(folder: Path, chat: list[dict[str, Any]], **more: Any) -> list[int]:
    from transformers import AutoTokenizer

    return chat_templates.theirs(AutoTokenizer.from_pretrained(str(folder), local_files_only=True), chat, **more)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_tokens_are_those_of_transformers_and_of_the_table(tmp_path: Path, family: Family) -> None:
    folder = folder_of(tmp_path, family)
    found = try_folder(folder)
    assert "differs" not in found.values() and found["question"] == found["turns"] == "equal"
    assert found["system"] == ("folded" if family.name == "gemma" else "equal")
    rows = {row["name"]: row for row in json.loads(TABLE.read_text("utf-8"))["rows"]}
    assert rows[f"{family.title}, own template"] == {"name": f"{family.title}, own template", **found}
    assert Encoder(folder).end == family.end and family_of(Encoder(folder).template_source()) == family


def test_the_table_shows_every_case_and_no_difference() -> None:
    rows = json.loads(TABLE.read_text("utf-8"))["rows"]
    assert len(rows) > len(FAMILIES) and all(set(CASES) < set(row) for row in rows)
    assert not [row["name"] for row in rows if "differs" in row.values()]


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
