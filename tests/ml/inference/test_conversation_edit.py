"""Another chat template or end of turn: tried first, kept as a new model with the same weights, refused in a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from backend.api import Studio
from backend.api.imports import ConversationEdit
from backend.core.artifacts import verify
from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.models.weights import try_model

pytestmark = pytest.mark.ml

OWN = "{% for m in messages %}[{{ m.role }}] {{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}[me]{% endif %}"


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio.open(home=tmp_path / "home")


@pytest.fixture
def model(studio: Studio, tiny_model: Path) -> ArtifactView:
    return studio.import_model(tiny_model, "mine")


def test_a_template_is_tried_then_kept_as_a_new_model(studio: Studio, model: ArtifactView) -> None:
    edit = ConversationEdit(template=OWN)
    trial, _told = studio.try_conversation(model.id, edit)
    assert (
        trial["prompt"] == "[system] Answer in one word.<|im_end|>[user] What is the capital of France?<|im_end|>[me]"
    )
    assert len(studio.artifacts()) == 1, "nothing is kept by a trial"
    made = studio.keep_conversation(model.id, edit)
    assert made.parents == [model.id] and made.name == "mine-2" and made.facts["trial"] == trial
    assert Encoder(made.path).template_source() == OWN and Encoder(model.path).template_source() != OWN
    for each in (made, model):
        verify(each.path)
    weights = [each.path / "model.safetensors" for each in (made, model)]
    assert weights[0].stat().st_ino == weights[1].stat().st_ino, "the same bytes, once on the disk"
    assert studio.keep_conversation(model.id, edit).id == made.id
    assert studio.manifest(made.id).params == {"conversation": {"template": OWN}}


def test_a_family_brings_template_and_end_of_turn(studio: Studio, model: ArtifactView) -> None:
    made = studio.keep_conversation(model.id, ConversationEdit(family="chatml"), "chat")
    talk = Encoder(made.path).conversation
    assert made.name == "chat" and talk.family and talk.family.name == "chatml" and talk.end == "<|im_end|>"


def test_an_end_of_turn_alone(studio: Studio, model: ArtifactView) -> None:
    made = studio.keep_conversation(model.id, ConversationEdit(end="<|im_start|>"))
    encoder = Encoder(made.path)
    assert encoder.end == "<|im_start|>" and encoder.tokenizer.token_to_id("<|im_start|>") in encoder.stops
    assert encoder.template_source() == Encoder(model.path).template_source()


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no Jinja": ({"template": "{% for m in messages %}"}, "talk.syntax", "line 1"),
    "an unknown filter": ({"template": "{{ messages | shout }}"}, "talk.syntax", "shout"),
    "refuses everything": ({"template": "{{ raise_exception('never') }}"}, "talk.refused", "never"),
    "adds text and number": ({"template": "{{ 'a' + 1 }}"}, "talk.refused", "str"),
    "a token that is none": ({"end": "<|nobody|>"}, "talk.unknown_end", "nobody"),
    "a family with other tokens": ({"family": "gemma"}, "talk.unknown_end", "end_of_turn"),
    "an unknown family": ({"family": "alpaca"}, "talk.family", "chatml"),
    "nothing": ({}, "talk.no_change", ""),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_be_ends_in_a_sentence(studio: Studio, model: ArtifactView, case: str) -> None:
    change, code, part = REFUSED[case]
    for do in (studio.try_conversation, studio.keep_conversation):
        with pytest.raises(StudioError) as refused:
            do(model.id, ConversationEdit(**change))
        (problem,) = refused.value.problems
        assert problem.code == code and part in problem.sentence()
    assert len(studio.artifacts()) == 1


def test_additional_templates_come_along_and_one_that_is_chosen_replaces_all(
    studio: Studio, tiny_model: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "m")
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool_use.jinja").write_text("{{ tools | tojson }}" + OWN)
    model = studio.import_model(folder, "named")
    kept = model.path / "additional_chat_templates" / "tool_use.jinja"
    assert kept.is_file() and "talk.named_templates" in [each.code for each in model.taken]
    verify(model.path)
    made = studio.keep_conversation(model.id, ConversationEdit(template=OWN))
    assert not (made.path / "additional_chat_templates").exists() and Encoder(made.path).template_source() == OWN


def test_a_child_tries_it_within_bounds(model: ArtifactView, tmp_path: Path) -> None:
    folder = shutil.copytree(model.path, tmp_path / "m")
    (folder / "chat_template.jinja").write_text("{{ 'A' * 90000000000 }}" + OWN)
    with pytest.raises(StudioError, match="memory"):
        try_model(folder, None, tmp_path)
