"""The package stage: what is handed over runs without the studio and says the same."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from backend.chat import packing
from backend.chat.engine import Sampling, open_engine
from backend.data.rows import DataFolder, Row
from backend.errors import StudioError
from backend.jobs.context import MemoryContext
from backend.schemas import ArtifactView, Kind
from backend.stages.package import STAGE, PackageParams, check, quote, run
from tests.chat.onnx import Converted, converted
from tests.helpers import dataset_view, view
from tests.stages.world import TinyWorld

GUARD = """
import runpy, sys
from importlib.abc import MetaPathFinder
class Guard(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "tokenizers", "backend", "jinja2", "pydantic"}:
            raise ImportError(f"{name} is not in the package's requirements")
sys.meta_path.insert(0, Guard())
script = sys.argv.pop(1)
sys.argv[0] = script
runpy.run_path(script, run_name="__main__")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return converted(tmp_path_factory)


def packed(made: Converted, tmp_path: Path, **change: Any) -> tuple[Path, dict[str, Any]]:
    data = dataset_view(made.data)
    base = made.torch.model_copy(update={"parents": [data.id], "digest": "d" * 64})
    facts = {"model_name": "tiny | int4", "split": "test", "accuracy": 0.8765, "n": 15.0, "size_bytes": 2_500_000.0}
    evaluation = view(tmp_path, Kind.EVALUATION, "evaluation-e1", **facts)
    job = MemoryContext(tmp_path / "job", [made.onnx, base, data, evaluation])
    settings = {"name": "colours", "evaluations": [evaluation.id], "max_new_tokens": 12, **change}
    run(PackageParams(model=made.onnx.id, **settings), job)
    sealed = next(event for event in job.events if event["event"] == "artifact")
    return Path(sealed["path"]), sealed["manifest"]


@pytest.mark.ml
def test_the_script_alone_says_what_the_studio_says(made: Converted, tmp_path: Path) -> None:
    folder, manifest = packed(made, tmp_path)
    target = tmp_path / "elsewhere"
    zipfile.ZipFile(folder / "colours.zip").extractall(target)
    text = "¿red  item 7? 😀"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", GUARD, str(target / "colours" / "run.py"), text], cwd=tmp_path, capture_output=True
    )
    assert ran.returncode == 0, ran.stderr.decode()
    engine = open_engine(made.onnx, lambda ref: made.torch)
    template = DataFolder(made.data).template
    ours = engine.answer(engine.encode(template.prompt(Row(id="1", input=text))), Sampling(max_new_tokens=12))
    assert ran.stdout.decode() == ours + "\n" and ours
    assert manifest["parents"] == sorted([made.onnx.id, "evaluation-e1"])


@pytest.mark.ml
def test_the_folder_tells_what_it_is(made: Converted, tmp_path: Path) -> None:
    folder, _ = packed(made, tmp_path)
    card = (folder / "colours" / "README.md").read_text("utf-8")
    for part in ("license: apache-2.0", "87.6 %", "2.5 MB", "tiny \\| int4 (test)", "red, green, blue", "d" * 64):
        assert part in card, part
    assert "dataset-d1" in card and made.torch.name in card
    assert (folder / "colours" / "LICENSE").read_text("utf-8") == "Apache License"
    assert (folder / "colours" / "NOTICE").read_text("utf-8") == "Sentences by somebody"
    model = json.loads((folder / "colours" / "model" / "inference_model.json").read_text("utf-8"))
    prompt = model["PromptTemplate"]["prompt"]
    assert model["Name"] == "colours" and prompt.count("{Content}") == 1 and "Name the colour." in prompt
    names = {path.relative_to(folder / "colours").as_posix() for path in (folder / "colours").rglob("*")}
    assert {"run.py", "requirements.txt", "SHA256SUMS", "model/genai_config.json", "model/template.json"} <= names
    assert not [name for name in names if "manifest" in name]


@pytest.mark.ml
def test_the_sums_are_right_and_the_zip_is_the_folder(made: Converted, tmp_path: Path) -> None:
    folder, _ = packed(made, tmp_path)
    lines = (folder / "colours" / "SHA256SUMS").read_text("utf-8").splitlines()
    assert len(lines) >= 8
    archive = zipfile.ZipFile(folder / "colours.zip")
    for line in lines:
        digest, name = line.split("  ", 1)
        assert hashlib.sha256((folder / "colours" / name).read_bytes()).hexdigest() == digest
        assert hashlib.sha256(archive.read(f"colours/{name}")).hexdigest() == digest


@pytest.mark.ml
def test_the_same_model_gives_the_same_zip(made: Converted, tmp_path: Path) -> None:
    first, _ = packed(made, tmp_path / "a")
    second, _ = packed(made, tmp_path / "b")
    assert (first / "colours.zip").read_bytes() == (second / "colours.zip").read_bytes()


def test_the_script_is_short_and_needs_one_package() -> None:
    lines = packing.script(64).splitlines()
    assert len(lines) <= 20 and "+ 64" in packing.script(64)
    assert {line for line in lines if "import" in line} == {
        "import json, sys",
        "from pathlib import Path",
        "import onnxruntime_genai as og",
    }


@pytest.mark.parametrize("change", ["{{ m['content'] | upper }}", "{{ m['content'] | trim }}{{ m['content'] }}"])
def test_a_chat_template_that_changes_words_is_refused(tmp_path: Path, change: str) -> None:
    (tmp_path / "tokenizer_config.json").write_text("{}")
    (tmp_path / "chat_template.jinja").write_text("{% for m in messages %}" + change + "{% endfor %}")
    with pytest.raises(StudioError) as caught:
        packing.prompt_text(tmp_path, "loud")
    assert caught.value.code == "chat.package_template" and "loud" in str(caught.value)


def test_a_model_without_evaluation_or_license_says_so(tmp_path: Path) -> None:
    bare: ArtifactView = view(tmp_path, Kind.ONNX, "onnx-o1").model_copy(update={"license": None})
    card = packing.model_card("x", "1", bare, [], [])
    assert "Not measured." in card and "Unknown: ask" in card


def test_names_that_leave_the_folder_are_refused() -> None:
    world = TinyWorld().add("o", Kind.ONNX, size_bytes=80_000_000).add("m", Kind.MODEL)
    for name in ("../up", "a/b", ".hidden", "two words"):
        assert [p.code for p in check(PackageParams(model="o", name=name), world)] == ["chat.package_name"]
    assert [p.code for p in check(PackageParams(model="m"), world)] == ["core.artifact_kind"]
    assert quote(PackageParams(model="o"), world).disk_bytes == 160_000_000


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
