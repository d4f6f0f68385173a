"""Template, special tokens and end of turn, from whichever file holds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import StudioError
from backend.data.chat_template import Encoder
from backend.data.control_tokens import ControlTokens
from backend.data.conversation import PLAIN_TEMPLATE, drop_limits
from backend.data.template_language import compile_template, plain_tags
from tests.data.tokenizers import CONTROL, PLAIN, encoder

ASKED = {"role": "user", "content": "Hello there, how are you?"}


def written(folder: Path, template: str = PLAIN, **config: Any) -> Encoder:
    encoder(folder, template)
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    return Encoder(folder)


def put(folder: Path, name: str, content: Any) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def codes(found: Encoder) -> list[str]:
    return [each.code for each in found.conversation.findings]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("special_tokens_map.json", {"eos_token": CONTROL[1]}),
        ("special_tokens_map.json", {"eos_token": {"content": CONTROL[1]}}),
        ("generation_config.json", {"eos_token_id": [258]}),
        ("config.json", {"eos_token_id": 258}),
        ("conversation.json", {"end": CONTROL[1]}),
    ],
)
def test_the_end_of_turn_is_found_in_every_file(tmp_path: Path, name: str, content: Any) -> None:
    found = written(tmp_path)
    put(tmp_path, name, content)
    assert found.end == CONTROL[1] and found.stops == {258}
    assert found.answer_ids("a")[-1] == 258


def test_no_end_of_turn_anywhere_is_told(tmp_path: Path) -> None:
    problem = written(tmp_path).conversation.problem()
    assert problem and problem.blocking and problem.code == "talk.no_end" and "conversation.json" in problem.sentence()


def test_the_templates_own_end_is_taken_before_another_eos(tmp_path: Path) -> None:
    found = written(tmp_path, chat_template=PLAIN, eos_token=CONTROL[0])
    put(tmp_path, "generation_config.json", {"eos_token_id": 256})
    assert found.end == CONTROL[1] and found.stops == {256, 258}
    assert {"talk.end_differs", "talk.end_missing"} <= set(codes(found))
    assert "{{" not in " ".join(each.sentence() for each in found.conversation.findings)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chat_template.jinja", PLAIN),
        ("chat_template.json", {"chat_template": PLAIN}),
        ("additional_chat_templates/default.jinja", PLAIN),
        ("tokenizer_config.json", {"chat_template": [{"name": "default", "template": PLAIN}]}),
    ],
)
def test_the_template_is_found_in_every_place(tmp_path: Path, name: str, content: Any) -> None:
    found = written(tmp_path)
    put(tmp_path, name, content)
    fresh = Encoder(tmp_path)
    assert fresh.template_source() == PLAIN and "talk.no_template" not in codes(fresh)
    assert found.folder == tmp_path


def test_two_templates_are_told(tmp_path: Path) -> None:
    found = written(tmp_path, chat_template=PLAIN)
    put(tmp_path, "chat_template.jinja", PLAIN + "!")
    assert found.template_source() == PLAIN + "!" and "talk.templates_differ" in codes(found)


def test_names_that_differ_are_told(tmp_path: Path) -> None:
    found = written(tmp_path, eos_token=CONTROL[1])
    put(tmp_path, "special_tokens_map.json", {"eos_token": CONTROL[0]})
    assert found.special("eos") == CONTROL[1] and "talk.tokens_differ" in codes(found)


def test_without_a_template_roles_are_words(tmp_path: Path) -> None:
    found = written(tmp_path, eos_token=CONTROL[1])
    assert found.template_source() == PLAIN_TEMPLATE and codes(found) == ["talk.no_template"]


def test_saved_truncation_and_padding_are_ignored(tmp_path: Path) -> None:
    found = written(tmp_path, chat_template=PLAIN, eos_token=CONTROL[1])
    content = json.loads((tmp_path / "tokenizer.json").read_text("utf-8"))
    right = found.chat_ids([ASKED])
    content["truncation"] = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}
    content["padding"] = {"strategy": {"Fixed": 90}, "direction": "Right", "pad_to_multiple_of": None}
    content["padding"] |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "a"}
    put(tmp_path, "tokenizer.json", content)
    found = Encoder(tmp_path)
    assert found.chat_ids([ASKED]) == right and len(right) > 8
    assert ControlTokens(tmp_path, found.tokenizer).ids_of(found.render([ASKED])) == right
    assert {"talk.truncation", "talk.padding"} <= set(codes(found))
    drop_limits(tmp_path)
    assert not {"talk.truncation", "talk.padding"} & set(codes(Encoder(tmp_path)))


@pytest.mark.parametrize("name", ["tokenizer_config.json", "generation_config.json", "chat_template.json"])
@pytest.mark.parametrize("content", ["[1]", "{", "[" * 100_000])
def test_a_file_that_is_no_object_is_named(tmp_path: Path, name: str, content: str) -> None:
    encoder(tmp_path)
    put(tmp_path, name, content)
    with pytest.raises(StudioError) as refused:
        _ = Encoder(tmp_path).conversation
    assert refused.value.code == "models.damaged_json" and name in refused.value.text()


@pytest.mark.parametrize("value", [True, -1, 10**20, "2", [None, {}], {"a": 1}])
def test_odd_ids_name_nothing(tmp_path: Path, value: Any) -> None:
    found = written(tmp_path)
    put(tmp_path, "generation_config.json", {"eos_token_id": value})
    assert found.end == "" and not found.stops


def test_the_fields_own_tags_become_plain_jinja() -> None:
    marked = "{%- for m in messages -%}\n {%- generation -%}\n{{ m }}{% endgeneration %}\n{%- endfor %}"
    plain = plain_tags(marked)
    assert "generation" not in plain
    assert compile_template(plain).render(messages="ab") == compile_template(marked).render(messages="ab") == "ab"
