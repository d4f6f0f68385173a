"""The package stage: what is handed over runs without the studio and says the same."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from backend.core.artifacts import MANIFEST, Manifest
from backend.core.errors import Problem, StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.core.thresholds import as_facts
from backend.data.chat_template import Encoder
from backend.data.dataset import DataFolder, Row, Template
from backend.inference.constraint import Constraint
from backend.inference.protocol import Sampling
from backend.jobs.context import MemoryContext
from backend.ml.inference.open import open_engine
from backend.packaging import package_folder, verify
from backend.packaging.model_card import model_card
from backend.stages.package import STAGE, PackageParams, check, quote, run
from tests.helpers import dataset_view, view
from tests.onnx_models import Converted, converted
from tests.stages.fake_world import FakeWorld

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
    facts: dict[str, Any] = {
        "model_name": "tiny | int4",
        "split": "test",
        "accuracy": 0.8765,
        "n": 15.0,
        "size_bytes": 2_500_000.0,
    }
    evaluation = view(tmp_path, Kind.EVALUATION, "evaluation-e1", **facts)
    reports = change.pop("with_reports", [])
    job = MemoryContext(tmp_path / "job", [made.onnx, base, data, evaluation, *reports], job_id=change.pop("job", "j1"))
    settings = {"name": "colours", "evaluations": [evaluation.id], "max_new_tokens": 12, **change}
    settings["reports"] = [each.id for each in reports]
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
def test_the_script_holds_answers_to_the_labels_as_the_studio_does(made: Converted, tmp_path: Path) -> None:
    folder, _ = packed(made, tmp_path)
    command = [sys.executable, "-I", str(folder / "colours" / "run.py"), "--labels", "item 7"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout.decode()
    engine, template = open_engine(made.onnx, lambda ref: made.torch), DataFolder(made.data).template
    form = Constraint(kind="labels", value=tuple(template.labels))
    prompt = engine.encode(template.prompt(Row(id="1", input="item 7")))
    assert said == engine.answer(prompt, Sampling(max_new_tokens=12, constraint=form)) + "\n"


@pytest.mark.ml
def test_the_folder_tells_what_it_is(made: Converted, tmp_path: Path) -> None:
    folder, _ = packed(made, tmp_path)
    card = (folder / "colours" / "README.md").read_text("utf-8")
    for part in ("license: apache-2.0", "87.6%", "2.5 MB", "tiny \\| int4 (test)", "red, green, blue", "d" * 64):
        assert part in card, part
    assert "dataset-d1" in card and made.torch.name in card
    assert (folder / "colours" / "LICENSE").read_text("utf-8") == "Apache License"
    assert (folder / "colours" / "NOTICE").read_text("utf-8") == "Sentences by somebody"
    model = json.loads((folder / "colours" / "model" / "inference_model.json").read_text("utf-8"))
    prompt = model["PromptTemplate"]["prompt"]
    assert model["Name"] == "colours" and prompt.count("{Content}") == 1 and "Name the colour." in prompt
    names = {path.relative_to(folder / "colours").as_posix() for path in (folder / "colours").rglob("*")}
    assert {"run.py", "requirements.txt", "SHA256SUMS", "model/genai_config.json", "model/template.json"} <= names
    origin = json.loads((folder / "colours" / "lineage.json").read_text("utf-8"))
    assert origin["version"] == "1.0.0" and origin["model"]["id"] == made.onnx.id
    assert [each["id"] for each in origin["ancestors"]] == [made.torch.id, "dataset-d1"]
    assert [each["id"] for each in origin["measured_by"]] == ["evaluation-e1"]
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


def test_the_scripts_are_short_and_each_needs_one_package() -> None:
    made = package_folder.scripts("voice", "2.1.0", 64)
    assert set(made) == {"run.py", "foundry.py"}
    for name, needed in (("run.py", "onnxruntime_genai"), ("foundry.py", "foundry_local_sdk")):
        lines = made[name].splitlines()
        assert len(lines) <= 45 and "MAX_NEW_TOKENS = 64" in lines
        words = [line.split() for line in lines if line.startswith(("import ", "from "))]
        assert {each[1] for each in words} == {
            "json",
            "sys",
            "pathlib",
            needed,
            *({"tempfile"} & {w[1] for w in words}),
        }
    assert 'MODEL_ID = "voice:2"' in made["foundry.py"].splitlines()


@pytest.mark.parametrize("change", ["{{ m['content'] | upper }}", "{{ m['content'] | trim }}{{ m['content'] }}"])
def test_a_chat_template_that_changes_words_is_refused(tmp_path: Path, change: str) -> None:
    (tmp_path / "tokenizer_config.json").write_text("{}")
    (tmp_path / "chat_template.jinja").write_text("{% for m in messages %}" + change + "{% endfor %}")
    with pytest.raises(StudioError) as caught:
        package_folder.prompt_template(Encoder(tmp_path), Template(), "loud")
    assert caught.value.code == "chat.package_template" and "loud" in str(caught.value)


@pytest.mark.ml
def test_other_runtimes_get_the_prompt_the_defaults_and_the_stops(made: Converted, tmp_path: Path) -> None:
    folder, _ = packed(made, tmp_path, temperature=0.5, max_length=100)
    model = folder / "colours" / "model"
    config = json.loads((model / "genai_config.json").read_text("utf-8"))
    wanted = {"do_sample": True, "temperature": 0.5, "max_length": 100}
    assert {key: config["search"][key] for key in wanted} == wanted
    assert config["model"]["eos_token_id"] == 2 and config["model"]["context_length"] == 100
    question = [{"role": "user", "content": "red?"}]
    told = [{"role": "system", "content": "Name the colour."}, *question]
    other = [{"role": "system", "content": "Be rude."}, *question]
    ours = open_engine(made.onnx, lambda ref: made.torch).encoder
    assert Encoder(model).render(question) == Encoder(model).render(told) == ours.render(told)
    assert Encoder(model).render(other) == ours.render(other)


@pytest.mark.ml
def test_a_failed_report_stops_it_until_a_reason_is_given(made: Converted, tmp_path: Path) -> None:
    about: dict[str, Any] = {"report": "parity", "model": made.onnx.id, "kl": 0.75}
    bad = view(tmp_path, Kind.REPORT, "report-bad", passed=False, failed=["stop tokens"], **about)
    with pytest.raises(StudioError) as caught:
        packed(made, tmp_path / "a", with_reports=[bad])
    assert caught.value.code == "package.report_failed" and "stop tokens" in str(caught.value)
    folder, manifest = packed(made, tmp_path / "b", with_reports=[bad], overrule="Only a | demo.")
    card = (folder / "colours" / "README.md").read_text("utf-8")
    assert "Packed although a check says no" in card and "Only a | demo." in card
    assert "**failed**: stop tokens" in card and "| kl | 0.75 |" in card and "No parity report" not in card
    assert manifest["facts"]["overrule"] == "Only a | demo." and "report-bad" in manifest["parents"]


def keep(artifacts: Path, kind: Kind, id_: str, parents: Sequence[str] = (), **facts: Any) -> None:
    """An artifact in the store of artifacts, as its manifest tells."""
    folder = artifacts / kind / id_
    folder.mkdir(parents=True)
    held = Manifest(id=id_, kind=kind, name=id_, facts=facts, parents=list(parents))
    (folder / MANIFEST).write_text(held.model_dump_json(), "utf-8")


UNUSABLE = Problem(
    code="good.unusable", args={"value": "60%", "limit": "10%", "setting": "max_invalid"}, blocking=False
)


def test_what_failed_is_found_without_being_named(tmp_path: Path) -> None:
    """The newest of each sort counts, of the model and of what it was converted from; a model further back is another one."""
    keep(tmp_path, Kind.ONNX, "onnx-o1", ["model-m1", "dataset-d1"], size_bytes=1_000_000)
    keep(tmp_path, Kind.MODEL, "model-m1", ["model-base"])
    keep(tmp_path, Kind.EVALUATION, "evaluation-base", ["model-base"], data="d", split="test", **as_facts([UNUSABLE]))
    known = Path(tmp_path / Kind.ONNX / "onnx-o1")
    world = FakeWorld(view(known, Kind.ONNX, "onnx-o1", size_bytes=1_000_000))
    params = PackageParams(model="onnx-o1")
    assert check(params, world) == []
    keep(tmp_path, Kind.REPORT, "report-1", ["onnx-o1"], report="parity", model="onnx-o1", passed=False, failed=["kl"])
    keep(tmp_path, Kind.EVALUATION, "evaluation-1", ["model-m1"], data="d", split="test", **as_facts([UNUSABLE]))
    report, evaluation = check(params, world)
    assert (report.code, report.args["failed"]) == ("package.report_failed", "kl")
    assert evaluation.code == "package.findings" and "60% of the answers" in evaluation.sentence()
    assert not report.blocking and not evaluation.blocking
    assert check(params.model_copy(update={"overrule": "A demo."}), world) == []
    world.in_trash = frozenset({"report-1", "evaluation-1"})
    assert check(params, world) == []
    world.in_trash = frozenset()
    keep(tmp_path, Kind.REPORT, "report-2", ["onnx-o1"], report="parity", model="onnx-o1", passed=True, failed=[])
    keep(tmp_path, Kind.EVALUATION, "evaluation-2", ["model-m1"], data="d", split="test", accuracy=0.9)
    assert check(params, world) == []
    world.in_trash = frozenset({"report-2"})  # what is in the trash hides nothing
    assert [problem.code for problem in check(params, world)] == ["package.report_failed"]


@pytest.mark.ml
def test_findings_of_the_model_stand_in_its_card_with_the_reason_to_overrule_them(
    made: Converted, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        keep(tmp_path / name / "job/artifacts", Kind.ONNX, made.onnx.id, **as_facts([UNUSABLE]))
    folder, manifest = packed(made, tmp_path / "a")
    card = (folder / "colours" / "README.md").read_text("utf-8")
    assert "although" not in card and "60% of the answers are empty" in card and "overrule" not in manifest["facts"]
    folder, manifest = packed(made, tmp_path / "b", overrule="A demo.")
    card = (folder / "colours" / "README.md").read_text("utf-8")
    assert "Packed although a check says no" in card and "60% of the answers are empty" in card
    assert manifest["facts"]["overrule"] == "A demo."


@pytest.mark.ml
def test_a_reason_that_nothing_needs_is_not_shown(made: Converted, tmp_path: Path) -> None:
    good = view(tmp_path, Kind.REPORT, "report-good", report="foundry", model=made.onnx.id, passed=True, failed=[])
    folder, manifest = packed(made, tmp_path, with_reports=[good], overrule="Just in case.")
    card = (folder / "colours" / "README.md").read_text("utf-8")
    assert "Just in case." not in card and "overrule" not in manifest["facts"]
    assert "### Runs in Foundry Local: passed" in card and "No parity report" in card


def test_reports_of_another_model_are_refused_beforehand(tmp_path: Path) -> None:
    model = view(tmp_path / "onnx-o1", Kind.ONNX, "onnx-o1", size_bytes=1_000_000)
    world = FakeWorld(model).add("later", Kind.REPORT)
    for ref, of, passed in (("other", "onnx-o2", True), ("bad", "onnx-o1", False)):
        found = view(tmp_path, Kind.REPORT, ref, report="parity", failed=["kl"], model=of, passed=passed)
        world.known[ref] = FakeWorld(found).known[ref]
    codes = [p.code for p in check(PackageParams(model="onnx-o1", reports=["other", "bad", "later"]), world)]
    assert codes == ["package.report_other", "package.report_failed"]
    assert not check(PackageParams(model="onnx-o1", reports=["other", "bad"], overrule="I know."), world)


@pytest.mark.ml
def test_versions_count_up_and_one_version_is_one_package(made: Converted, tmp_path: Path) -> None:
    _, first = packed(made, tmp_path, job="j1")
    _, second = packed(made, tmp_path, job="j2")
    assert (first["facts"]["version"], second["facts"]["version"]) == ("1.0.0", "1.0.1")
    with pytest.raises(StudioError) as caught:
        packed(made, tmp_path, job="j3", version="1.0.1", max_new_tokens=13)
    assert caught.value.code == "package.version_taken" and "1.0.2" in str(caught.value)
    _, same = packed(made, tmp_path, job="j4", version="1.0.1")  # the same bytes are the same package
    assert same["facts"]["zip_sha256"] == second["facts"]["zip_sha256"]


@pytest.mark.ml
def test_what_was_packed_verifies(made: Converted, tmp_path: Path) -> None:
    folder, _ = packed(made, tmp_path)
    assert verify.verify_package(folder / "colours") == [] and verify.verify_package(folder / "colours.zip") == []


def test_a_version_is_three_numbers() -> None:
    world = FakeWorld().add("o", Kind.ONNX, size_bytes=80_000_000)
    for version in ("1", "1.0", "v1.0.0", "01.0.0", "1.0.0 ", "1.0.0-"):
        assert [p.code for p in check(PackageParams(model="o", version=version), world)] == ["package.version"], version
    for version in ("", "0.1.0", "1.0.0-rc.1", "10.20.30+build"):
        assert not check(PackageParams(model="o", version=version), world), version


def test_a_model_without_evaluation_or_license_says_so(tmp_path: Path) -> None:
    bare: ArtifactView = view(tmp_path, Kind.ONNX, "onnx-o1").model_copy(update={"license": None})
    card = model_card("x", "1.0.0", bare, [], [])
    assert "Not measured." in card and "Unknown: ask" in card


def test_names_that_leave_the_folder_are_refused() -> None:
    world = FakeWorld().add("o", Kind.ONNX, size_bytes=80_000_000).add("m", Kind.MODEL)
    for name in ("../up", "a/b", ".hidden", "two words"):
        assert [p.code for p in check(PackageParams(model="o", name=name), world)] == ["chat.package_name"]
    assert [p.code for p in check(PackageParams(model="m"), world)] == ["core.artifact_kind"]
    assert quote(PackageParams(model="o"), world).disk_bytes == 160_000_000


def test_the_example_is_valid() -> None:
    assert STAGE.parse(STAGE.example)
