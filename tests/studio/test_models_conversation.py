"""On the page Models: the base of an adapter in a zip file, a model of an earlier version, and another chat template."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from backend.api import Studio
from backend.api.imports import ConversationEdit
from backend.core.errors import Problem, StudioError
from backend.core.schemas import Kind
from backend.files.uploads import receive_upload
from backend.models import conversation_edit, recheck
from studio.ui.shared import tasks
from tests.helpers import until
from tests.studio.builder import StudioBuilder
from tests.studio.conftest import Show, words


def done(key: str) -> None:
    found = tasks.task(key)
    assert found
    until(lambda: found.done, lambda: f"{key} is still running")


def test_the_base_of_an_adapter_is_chosen(
    show: Show, builder: StudioBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = builder.model("base")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("adapter_config.json", "{}")
    with receive_upload(builder.studio.settings, "a.zip") as incoming:
        incoming.write((tmp_path / "a.zip").read_bytes())
        upload = incoming.finish()
    asked: list[str] = []
    monkeypatch.setattr(Studio, "import_upload", lambda _self, *args: asked.append(args[-1]))
    at = show("models")
    choice = at.selectbox(key=f"base_{upload.id}")
    assert choice.options == ["The one that the adapter names", "base"]
    choice.select(base.id).run()
    at.button(key=f"import_{upload.id}").click().run()
    done(f"import_{upload.id}")
    assert asked == [base.id]


def test_a_model_of_an_earlier_version_is_checked_when_its_drawer_opens(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*_: Any) -> Any:
        raise StudioError.of([Problem(code="models.not_finite", args={"model": "old", "tensor": "norm"})])

    monkeypatch.setattr(recheck, "check_weights", check)
    old = builder.model("old", facts={"checked": 0})
    assert "unusable" not in words(show("models")), "the list checks nothing"
    assert builder.studio.check_due(builder.studio.artifact(old.id))
    show("models", model=old.id)
    done(f"check_{old.id}")
    at = show("models", model=old.id)
    assert "contains NaN or infinity" in at.error[0].value and "unusable" in words(at)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_template_is_tried_and_kept(
    show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    view = builder.model(
        "talker", facts={"trial": {"prompt": "Hi", "end": "</s>"}}, files={"chat_template.jinja": "{{ messages }}"}
    )
    tried = {"prompt": "[user] Hi", "end": "<|end|>", "prompt_tokens": 3}
    monkeypatch.setattr(conversation_edit, "try_model", lambda *_: (tried, []))
    at = show("models", language, model=view.id)
    assert at.text_area(key=f"template_{view.id}").value == "{{ messages }}"
    at.text_area(key=f"template_{view.id}").set_value("{{ messages[0] }}")
    at.text_input(key=f"end_{view.id}").set_value("<|end|>")
    at.button(key=f"try_{view.id}").click().run()
    done(f"try_conversation_{view.id}")
    at = at.run()
    assert "[user] Hi" in words(at) and len(builder.studio.artifacts([Kind.MODEL])) == 1
    at.button(key=f"keep_{view.id}").click().run()
    done(f"keep_conversation_{view.id}")
    made = builder.studio.artifact("talker-2")
    assert made.parents == [view.id] and (made.path / "chat_template.jinja").read_text() == "{{ messages[0] }}"
    assert "talker-2" in words(at.run())


def test_a_change_that_can_not_be_is_said(show: Show, builder: StudioBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    view = builder.model("talker", files={"chat_template.jinja": "{{ messages }}"})

    def refuse(*_: Any) -> Any:
        raise StudioError("talk.syntax", line=3, reason="unexpected end")

    monkeypatch.setattr(conversation_edit, "try_model", refuse)
    at = show("models", model=view.id)
    at.selectbox(key=f"family_{view.id}").select("chatml").run()
    at.button(key=f"try_{view.id}").click().run()
    done(f"try_conversation_{view.id}")
    assert "invalid in line 3" in at.run().error[0].value


def test_what_was_exported_has_no_form(builder: StudioBuilder) -> None:
    onnx = builder.model("small", Kind.ONNX)
    assert not builder.studio.can_edit_conversation(onnx)
    with pytest.raises(StudioError, match="part of what it was made into"):
        builder.studio.try_conversation(onnx.id, ConversationEdit(family="chatml"))
