"""The files that turn an ONNX folder into something to hand over: prompt, generation defaults, scripts, lineage, hashes, zip.
No torch. The model card is in `backend.packaging.model_card`.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from backend.core.artifacts import sha256
from backend.core.errors import StudioError
from backend.core.paths import assets
from backend.core.schemas import ArtifactView
from backend.data.chat_template import Encoder
from backend.data.conversation import drop_limits
from backend.data.dataset import Row, Template
from backend.data.template_language import plain_tags
from backend.models.probe import LEGAL_FILES
from backend.packaging.prompt_parts import CONTENT_PLACEHOLDER, split_chat_template

MODEL_FOLDER = "model"
CHECKSUMS_FILE = "SHA256SUMS"
FOUNDRY_SDK = "foundry-local-sdk==2.2.1"
_CHUNK = 1 << 20
_SAMPLE = "Zwölf {Prüf}-Zeichen: ¿sí?"
_DATES = ("01 Jan 2001", "02 Feb 2002")

NOT_SPLIT = (
    "The chat template can't be put together from a piece per role (what it writes for one role depends on another), so "
    "`inference_model.json` holds the whole prompt of one question only. Foundry Local reads `chat_template.jinja`."
)
DATED = (
    "The chat template writes today's date into every prompt; `inference_model.json` holds the date on which this package was "
    "made. Foundry Local reads `chat_template.jinja`."
)


class PromptTemplate(NamedTuple):
    """`content` as `inference_model.json` holds it; `notes`: what it can't say, in plain words."""

    content: dict[str, str]
    notes: list[str]


class GenerationDefaults(NamedTuple):
    """How the packed model answers when nobody asks for anything else. `temperature` 0 is greedy; `max_length`: tokens of
    prompt and answer together, 0 is the model's own context. Foundry Local sets memory aside for all of it: 1.2 GB for the
    32,768 tokens of Gemma 3 270M, 70 MB for the 8,192 of a SmolLM2 of 6 layers."""

    temperature: float = 0.0
    max_length: int = 4096


def load_template(folder: Path) -> Template:
    """The template that the model was trained with, else the plain one."""
    file = folder / "template.json"
    return Template.model_validate_json(file.read_text("utf-8")) if file.is_file() else Template()


def fill_model_folder(
    source: Path, target: Path, name: str, ref: str, defaults: GenerationDefaults, moved: Callable[[int], None]
) -> list[str]:
    """Copy an ONNX artifact from `source` to `target` and write what a runtime of its own needs to ask it as it was trained.
    Returns notes for the model card; raises StudioError for a chat template that no package can express. `moved` hears how many
    bytes were copied."""
    _copy_model(source, target, moved)
    drop_limits(target)
    encoder, template = Encoder(target), load_template(target)
    made = prompt_template(encoder, template, ref)
    _write_chat_template(encoder, template)
    _write_defaults(target, encoder, defaults)
    (target / "template.json").write_text(template.model_dump_json(indent=1), encoding="utf-8")
    _write(target / "inference_model.json", {"Name": name, "PromptTemplate": made.content})
    return made.notes


def prompt_template(encoder: Encoder, template: Template, ref: str) -> PromptTemplate:
    """`prompt`: one question with the task's own words, `{Content}` where the user's go; beside it a piece per role, where the
    chat template can be taken apart. Raises StudioError when the chat template does not pass the words on unchanged."""
    content = {"assistant": CONTENT_PLACEHOLDER, "prompt": _prompt(encoder, template, ref)}
    notes = []
    found = split_chat_template(encoder)
    if found is None:
        notes.append(NOT_SPLIT)
    else:
        around = {"system": found.system, "user": found.user, "assistant": found.assistant}
        content = {role: piece.text(CONTENT_PLACEHOLDER) for role, piece in around.items() if piece} | {
            "prompt": content["prompt"]
        }
    with _with_date(encoder, _DATES[0]):
        before = _prompt(encoder, template, ref)
    with _with_date(encoder, _DATES[1]):
        notes += [DATED] if _prompt(encoder, template, ref) != before else []
    return PromptTemplate(content, notes)


def requirements() -> str:
    return f"onnxruntime-genai=={version('onnxruntime-genai')}\nnumpy>=2\n"


def scripts(name: str, release: str, max_new_tokens: int) -> dict[str, str]:
    """File name -> text of the scripts in a package: `run.py` for ONNX Runtime GenAI, `foundry.py` for Foundry Local."""
    set_to = {"MODEL_ID": json.dumps(model_id(name, release)), "MAX_NEW_TOKENS": str(max_new_tokens)}
    found = {}
    for file in sorted((assets() / "package").glob("*.py")):
        found[file.name] = file.read_text("utf-8")
        for constant, value in set_to.items():
            found[file.name] = re.sub(rf"^{constant} = .*$", f"{constant} = {value}", found[file.name], flags=re.M)
    return found


def model_id(name: str, release: str) -> str:
    """Foundry Local's name for a model ends in one whole number."""
    return f"{name}:{release.partition('.')[0]}"


def lineage(
    name: str, release: str, view: ArtifactView, ancestors: Sequence[ArtifactView], measured_by: Sequence[ArtifactView]
) -> dict[str, Any]:
    """What a package was made from, down to the first bytes: id, license and the digest of each. `measured_by`: evaluations and
    reports."""

    def about(each: ArtifactView) -> dict[str, Any]:
        known = {"id": each.id, "kind": each.kind.value, "name": each.name, "license": each.license}
        return known | {"sha256": each.digest, "made_from": each.parents}

    return {
        "name": name,
        "version": release,
        "studio": version("slmops-studio"),
        "model": about(view),
        "ancestors": [about(each) for each in ancestors],
        "measured_by": [about(each) for each in measured_by],
    }


def write_checksums(folder: Path) -> None:
    """Hashes of all files, in the form that `sha256sum -c` reads."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS_FILE)
    lines = [f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / CHECKSUMS_FILE).write_text("".join(lines), encoding="utf-8")


def write_zip(folder: Path, target: Path, moved: Callable[[int], None]) -> None:
    """Zip `folder`, its name on top. Same files, same bytes: sorted, one date, nothing packed (weights do not shrink).
    `moved` hears how many bytes went in."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o644 << 16
            info.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(info, "w") as sink:
                while chunk := source.read(_CHUNK):
                    sink.write(chunk)
                    moved(len(chunk))


def move_legal_files(model: Path, folder: Path) -> None:
    """License and notice belong where whoever opens the package sees them."""
    for name in LEGAL_FILES:
        if (model / name).is_file():
            shutil.move(model / name, folder / name)


def _prompt(encoder: Encoder, template: Template, ref: str) -> str:
    def rendered(words: str) -> str:
        return encoder.render(template.prompt(Row(id="0", input=words)))

    text = rendered(CONTENT_PLACEHOLDER)
    if text.count(CONTENT_PLACEHOLDER) != 1 or text.replace(CONTENT_PLACEHOLDER, _SAMPLE) != rendered(_SAMPLE):
        raise StudioError("chat.package_template", ref=ref)
    return text


@contextmanager
def _with_date(encoder: Encoder, date: str) -> Iterator[None]:
    """The template sees this date in place of today's."""
    known = encoder.template.environment.globals
    today = known["strftime_now"]
    known["strftime_now"] = lambda _form: date
    try:
        yield
    finally:
        known["strftime_now"] = today


def _write_chat_template(encoder: Encoder, template: Template) -> None:
    """Foundry Local and other runtimes render the folder's own template: it must be there, and a client that sends a question
    without a system message (a chat window, say) must get the prompt that the model was trained with."""
    source, folder = plain_tags(encoder.template_source()), encoder.folder
    if template.system:
        words = json.dumps(template.system, ensure_ascii=False)
        told = f"[{{'role': 'system', 'content': {words}}}] + messages"
        source = f"{{% if messages[0]['role'] != 'system' %}}{{% set messages = {told} %}}{{% endif %}}{source}"
    (folder / "chat_template.jinja").write_text(source, encoding="utf-8")
    if encoder.config.pop("chat_template", None) is not None:  # one template, one place
        _write(folder / "tokenizer_config.json", encoder.config)


def _write_defaults(folder: Path, encoder: Encoder, defaults: GenerationDefaults) -> None:
    """Sampling, context length and every token that ends an answer, as `genai_config.json` says it to each runtime."""
    file = folder / "genai_config.json"
    config: dict[str, Any] = json.loads(file.read_text("utf-8"))
    search, model = config.setdefault("search", {}), config["model"]
    context = int(model.get("context_length") or search.get("max_length") or 0)
    sampled = defaults.temperature > 0
    search |= {"do_sample": sampled, "temperature": defaults.temperature if sampled else 1.0}
    if defaults.max_length:
        length = min(defaults.max_length, context) if context else defaults.max_length
        search["max_length"] = model["context_length"] = length
    stops = sorted(encoder.stops)
    if stops:
        model["eos_token_id"] = stops[0] if len(stops) == 1 else stops
    _write(file, config)


def _copy_model(source: Path, target: Path, moved: Callable[[int], None]) -> None:
    """The files of an ONNX artifact, without its manifest and without links."""
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if path.is_file() and path.name != "manifest.json":
            with path.open("rb") as reader, (target / path.name).open("wb") as writer:
                shutil.copyfileobj(reader, writer, _CHUNK)
            moved(path.stat().st_size)


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
