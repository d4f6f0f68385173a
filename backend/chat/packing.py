"""The files that turn an ONNX folder into something to hand over: model card, script, prompt, hashes, zip. No torch."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from backend.artifacts import sha256
from backend.data.rows import Row, Template
from backend.data.tokens import Encoder
from backend.errors import StudioError
from backend.models.probe import LEGAL_FILES
from backend.schemas import ArtifactView
from backend.stages.base import human_bytes

MODEL_FOLDER = "model"
SUMS = "SHA256SUMS"
CONTENT = "{Content}"
_CHUNK = 1 << 20
_SAMPLE = "Zwölf {Prüf}-Zeichen: ¿sí?"

RUN = '''"""Answer one prompt: python run.py "your text". Needs only: pip install -r requirements.txt"""
import json, sys
from pathlib import Path
import onnxruntime_genai as og
folder = Path(__file__).parent / "model"
prompt = json.loads((folder / "inference_model.json").read_text("utf-8"))["PromptTemplate"]["prompt"]
model = og.Model(str(folder))
tokenizer = og.Tokenizer(model)
ids = tokenizer.encode(prompt.replace("{Content}", " ".join(sys.argv[1:]) or sys.stdin.read().strip()))
params = og.GeneratorParams(model)
params.set_search_options(max_length=len(ids) + MAX_NEW_TOKENS, do_sample=False)
generator = og.Generator(model, params)
generator.append_tokens(ids)
while not generator.is_done():
    generator.generate_next_token()
sys.stdout.buffer.write(tokenizer.decode(generator.get_sequence(0)[len(ids):]).encode() + b"\\n")
'''

METRICS = (
    ("accuracy", "Accuracy", "share"),
    ("macro_f1", "Macro F1", "share"),
    ("majority_baseline", "Always the commonest label", "share"),
    ("exact_match", "Exact match", "share"),
    ("token_f1", "Token F1", "share"),
    ("rouge_l", "ROUGE-L", "share"),
    ("perplexity", "Perplexity", "number"),
    ("n", "Rows", "count"),
    ("ttft_ms", "Time to first token", "ms"),
    ("latency_ms_p50", "Latency p50", "ms"),
    ("latency_ms_p95", "Latency p95", "ms"),
    ("decode_tokens_per_s", "Decode, tokens a second", "number"),
    ("peak_memory_bytes", "Peak memory", "bytes"),
    ("model_memory_bytes", "Memory above the empty runtime", "bytes"),
    ("size_bytes", "Size on disk", "bytes"),
    ("parameters", "Parameters", "count"),
)


def template_of(folder: Path) -> Template:
    """The template that the model was trained with, else the plain one."""
    file = folder / "template.json"
    return Template.model_validate_json(file.read_text("utf-8")) if file.is_file() else Template()


def prompt_text(folder: Path, ref: str) -> str:
    """The whole prompt as one text with `{Content}` where the user's words go: dataset template and chat template in one.
    Raises StudioError when the chat template does not pass the words on unchanged."""
    encoder, template = Encoder(folder), template_of(folder)

    def rendered(words: str) -> str:
        return encoder.render(template.prompt(Row(id="0", input=words)))

    text = rendered(CONTENT)
    if text.count(CONTENT) != 1 or text.replace(CONTENT, _SAMPLE) != rendered(_SAMPLE):
        raise StudioError("chat.package_template", ref=ref)
    return text


def inference_model(name: str, prompt: str) -> dict[str, Any]:
    """`inference_model.json`, as Foundry Local reads it."""
    return {"Name": name, "PromptTemplate": {"assistant": CONTENT, "prompt": prompt}}


def requirements() -> str:
    return f"onnxruntime-genai=={version('onnxruntime-genai')}\nnumpy>=2\n"


def script(max_new_tokens: int) -> str:
    return RUN.replace("MAX_NEW_TOKENS", str(max_new_tokens))


def model_card(
    name: str, release: str, view: ArtifactView, lineage: Sequence[ArtifactView], evaluations: Sequence[ArtifactView]
) -> str:
    """The README of a package, with a front matter that model hubs read."""
    facts, template = view.facts, template_of(view.path)
    labels = ", ".join(template.labels)
    task = f"It answers with one of {len(template.labels)} labels: {labels}." if labels else "It answers in free text."
    size = f"{facts.get('parameters', 0) / 1e6:.1f} million parameters, {facts.get('layers', '?')} layers"
    parts = [
        f"---\nlicense: {(view.license or 'other').lower()}\nlibrary_name: onnxruntime-genai\n"
        "pipeline_tag: text-generation\n---",
        f"# {name} {release}",
        f"A small language model ({facts.get('architecture', '?')}, {size}, {facts.get('precision', '?')}) for ONNX "
        f"Runtime GenAI. {task} It runs on a CPU, without a network.",
        '## How to run\n\n```\npip install -r requirements.txt\npython run.py "your text"\n```',
        "## Intended use\n\nThe task of the data that it was trained on, with the prompt in `model/inference_model.json`. "
        "Other prompts and other tasks were not measured. Check answers before anything depends on them.",
        "## How good and how costly\n\n" + _metrics_table(evaluations),
        "## Where it comes from\n\n" + _lineage_table([view, *lineage]),
        f"## License\n\n{view.license or 'Unknown: ask whoever made the base model and the data.'}",
    ]
    return "\n\n".join(parts) + "\n"


def write_sums(folder: Path) -> None:
    """Hashes of all files, in the form that `sha256sum -c` reads."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    lines = [f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


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


def copy_model(source: Path, target: Path, moved: Callable[[int], None]) -> None:
    """Copy the files of an ONNX artifact, without its manifest and without links."""
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        if path.is_file() and path.name != "manifest.json":
            with path.open("rb") as reader, (target / path.name).open("wb") as writer:
                shutil.copyfileobj(reader, writer, _CHUNK)
            moved(path.stat().st_size)


def lift_legal_files(model: Path, folder: Path) -> None:
    """License and notice belong where whoever opens the package sees them."""
    for name in LEGAL_FILES:
        if (model / name).is_file():
            shutil.move(model / name, folder / name)


def write_inference_model(folder: Path, name: str, prompt: str) -> None:
    text = json.dumps(inference_model(name, prompt), ensure_ascii=False, indent=1)
    (folder / "inference_model.json").write_text(text, encoding="utf-8")


def _metrics_table(evaluations: Sequence[ArtifactView]) -> str:
    if not evaluations:
        return "Not measured."
    shown = [row for row in METRICS if any(row[0] in each.facts for each in evaluations)]
    head = [f"{each.facts.get('model_name', each.name)} ({each.facts.get('split', '?')})" for each in evaluations]
    lines = [_row(["", *head]), _row(["---"] * (len(head) + 1))]
    lines += [_row([title, *(_cell(each.facts.get(key), unit) for each in evaluations)]) for key, title, unit in shown]
    return "\n".join(lines)


def _lineage_table(ancestors: Sequence[ArtifactView]) -> str:
    lines = [_row(["What", "Name", "License", "SHA-256 of its files"]), _row(["---"] * 4)]
    lines += [_row([each.kind, each.name, each.license or "?", f"`{each.digest}`"]) for each in ancestors]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _cell(value: Any, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "bytes":
        return human_bytes(value)
    forms = {"share": f"{100 * value:.1f} %", "ms": f"{value:.0f} ms", "count": f"{value:,.0f}"}
    return forms.get(unit, f"{value:.1f}")
