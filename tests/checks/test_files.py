"""What the files of an export tell: a good one passes, and each broken one is caught by the check that names its fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.checks.check import failed
from backend.checks.files import ExportPair, compare_files, supported_chats
from backend.checks.hard_inputs import HARD_TEXTS, conversations
from backend.core.artifacts import MANIFEST, write_json
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder
from backend.packaging.package_folder import GenerationDefaults, fill_model_folder, write_checksums
from tests.checks import broken_exports as ways
from tests.checks.broken_exports import broken_copy
from tests.onnx_models import Converted, converted

pytestmark = pytest.mark.ml


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return converted(tmp_path_factory)


def caught(made: Converted, folder: Path) -> list[str]:
    data = DataFolder(made.data)
    chats = [data.template.prompt(row) for row in data.rows("validation")] + conversations(data.template.system)
    return failed(compare_files(ExportPair(folder, [made.torch.path], data.template, chats, list(HARD_TEXTS.values()))))


def test_a_good_export_passes_all(made: Converted) -> None:
    assert caught(made, made.onnx.path) == []


@pytest.mark.parametrize(
    ("how", "names"),
    [
        (ways.wrong_template, ["template"]),
        (ways.swapped_end, ["stop_tokens"]),
        (ways.missing_stop, ["stop_tokens"]),
        (ways.cut_context, ["context"]),
        (ways.swapped_tokens, ["vocabulary"]),
    ],
)
def test_each_fault_is_caught_by_its_own_check(
    tmp_path: Path, made: Converted, how: Callable[[Path], None], names: list[str]
) -> None:
    assert caught(made, broken_copy(made.onnx.path, tmp_path / "export", how)) == names


def test_other_words_around_the_task_are_another_template(tmp_path: Path, made: Converted) -> None:
    def forget(folder: Path) -> None:
        ways.edit(folder / "template.json", lambda template: template.update(system=""))

    assert caught(made, broken_copy(made.onnx.path, tmp_path / "export", forget)) == ["template"]


def test_another_end_of_turn_in_the_tokenizer_is_told(tmp_path: Path, made: Converted) -> None:
    def swap(folder: Path) -> None:
        ways.edit(folder / "tokenizer_config.json", lambda config: config.update(eos_token="<|endoftext|>"))

    assert caught(made, broken_copy(made.onnx.path, tmp_path / "export", swap)) == ["special_tokens"]


def test_hashes_of_an_artifact_and_of_a_package_tell_a_changed_file(tmp_path: Path, made: Converted) -> None:
    model = broken_copy(made.onnx.path, tmp_path / "package" / "model", lambda folder: None)
    write_checksums(model.parent)
    assert caught(made, model) == []
    (model / "olive.json").write_text("{}")
    assert caught(made, model) == ["files"]
    (model / MANIFEST).write_bytes((made.onnx.path / MANIFEST).read_bytes())
    assert caught(made, model) == ["files"]


def test_the_prompt_of_a_package_is_held_against_the_original(tmp_path: Path, made: Converted) -> None:
    model = tmp_path / "model"
    fill_model_folder(made.onnx.path, model, "it", "it", GenerationDefaults(), lambda count: None)
    assert caught(made, model) == []
    asked = json.loads((model / "inference_model.json").read_text())["PromptTemplate"]
    asked["prompt"] = "<|im_start|>user\n{Content}<|im_end|>\n<|im_start|>assistant\n"
    write_json(model / "inference_model.json", {"Name": "it", "PromptTemplate": asked})
    assert caught(made, model) == ["prompt"]


def test_conversations_with_a_system_turn_are_compared_where_the_template_refuses_it(
    tmp_path: Path, made: Converted
) -> None:
    folder = broken_copy(made.onnx.path, tmp_path / "strict", lambda folder: None)
    file = folder / "chat_template.jinja"
    refusal = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    file.write_text(refusal + file.read_text("utf-8"), encoding="utf-8")
    assert len(supported_chats(Encoder(folder), conversations("Be kind."))) == 4
    assert len(supported_chats(Encoder(made.onnx.path), conversations("Be kind."))) == 4


def test_what_a_package_changes_on_purpose_is_no_finding(tmp_path: Path, made: Converted) -> None:
    """It puts the trained system prompt before questions that bring none, and bounds the room for prompt and answer."""
    model = tmp_path / "model"
    fill_model_folder(made.onnx.path, model, "it", "it", GenerationDefaults(), lambda count: None)
    assert caught(made, model) == []
    file = model / "chat_template.jinja"
    file.write_text(file.read_text().replace("'role': 'system'", "'role': 'user'"))
    assert caught(made, model) == ["template"]


def test_a_garbled_file_is_a_finding_and_no_crash(tmp_path: Path, made: Converted) -> None:
    def garble(folder: Path) -> None:
        (folder / "tokenizer.json").write_text("{}")

    names = caught(made, broken_copy(made.onnx.path, tmp_path / "export", garble))
    assert {"vocabulary", "token_ids", "round_trip"} <= set(names) and "context" not in names
