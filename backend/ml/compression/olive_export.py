"""From torch weights to an ONNX Runtime GenAI folder: merge, convert with Olive, collect, ask the result.

Olive and the first question run in processes of their own: Olive's imports take seconds and much memory, and a broken
ONNX model can end a process. Olive's exit status means nothing (it is 0 when a pass fails): only files count.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backend.core.artifacts import write_json
from backend.core.errors import StudioError
from backend.core.paths import ROOT
from backend.core.programs import Programs, command
from backend.core.schemas import ArtifactView, Kind
from backend.data.chat_template import Encoder
from backend.data.conversation import drop_limits
from backend.inference.protocol import Lookup
from backend.models.probe import LEGAL_FILES, TOKENIZER_FILES
from backend.models.quantization import Scheme, accelerator, passes
from backend.process import program

_COPIED = (*TOKENIZER_FILES, "template.json", *LEGAL_FILES)
_ONNX_FILES = ("model.onnx", "model.onnx.data", "genai_config.json")
_LOG_TAIL_LINES = 15


def merged_model_folder(view: ArtifactView, lookup: Lookup, scratch: Path) -> Path:
    """A folder with full weights: the model's own, or `scratch` filled with the adapter merged into its base."""
    if view.kind is Kind.MODEL:
        return view.path
    from backend.ml.inference.load import load_model

    load_model(view, lookup, merged=True).save_pretrained(scratch)
    copy_tokenizer_and_license(view.path, scratch)
    return scratch


def copy_tokenizer_and_license(source: Path, target: Path) -> None:
    """Copy tokenizer, templates, license and notice."""
    for name in _COPIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def olive_config(model: Path, work: Path, scheme: Scheme, calibration: Path | None = None) -> dict[str, Any]:
    """The workflow that Olive runs. `calibration`: texts for GPTQ (see backend.models.quantization.passes)."""
    return {
        "input_model": {"type": "HfModel", "model_path": str(model), "task": "text-generation"},
        "systems": {"here": {"type": "LocalSystem", "accelerators": [accelerator(scheme.target)]}},
        "passes": passes(scheme, model, calibration),
        "host": "here",
        "target": "here",
        "cache_dir": str(work / "cache"),
        "output_dir": str(work / "model"),
        "log_severity_level": 1,
    }


def run_olive(config: dict[str, Any], work: Path, watch: Callable[[str], None], say: Callable[[str], None]) -> Path:
    """Run the workflow in a process that never outlives this call; returns the folder that it wrote. `watch` gets the
    name of the pass at work several times a second and may raise. Raises StudioError when there is no model."""
    for name in ("hub", "cache", "model"):
        shutil.rmtree(work / name, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    write_json(work / "olive.json", config)
    out = Path(config["output_dir"])
    offline = {
        "HF_HOME": str(work / "hub"),
        "HF_HUB_OFFLINE": "1",
        "OLIVE_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": str(ROOT),
    }
    argv = command(Programs.OLIVE, "run", "--config", work / "olive.json")
    with program.Program(argv, work / "olive.log", work, {**os.environ, **offline}) as olive:
        olive.wait(lambda: watch(_running_pass(olive.lines())))
    if not (out / "model.onnx").is_file() or not (out / "genai_config.json").is_file():
        for line in olive.lines()[-_LOG_TAIL_LINES:]:
            say(line)
        raise StudioError("chat.olive_nothing", reason=olive.reason())
    return out


def collect_export(built: Path, source: Path, target: Path, config: dict[str, Any]) -> None:
    """Move what is needed to run into `target`: the ONNX files, the source's own tokenizer and template (so that ids
    are equal everywhere), its license and notice,
    genai_config with all ends of turn, and the workflow without paths of this machine."""
    for name in _ONNX_FILES:
        if (built / name).is_file():
            shutil.move(built / name, target / name)
    copy_tokenizer_and_license(source, target)
    drop_limits(target)
    _repair_genai_config(target)
    workflow = {key: config[key] for key in ("input_model", "systems", "passes", "host", "target")}
    write_json(target / "olive.json", _portable(workflow))


def run_smoke_test(folder: Path, prompts: Sequence[Sequence[int]], tick: Callable[[], None]) -> dict[str, Any]:
    """What a fresh process hears from the model: `first` tokens, their logits, `texts`. Raises StudioError when it can't load,
    crashes or gives no usable values."""
    asked = {"folder": str(folder), "prompts": [list(prompt) for prompt in prompts]}
    found = program.run_json(Programs.SMOKE_TEST, asked, folder.parent, tick, "chat.onnx_stopped")
    if not found["finite"]:
        raise StudioError("chat.onnx_wrong", reason="gives values that are not numbers")
    if not all(found["spread"]):
        raise StudioError("chat.onnx_wrong", reason="gives every token the same value")
    return found


def run_smoke_test_on_cpu(folder: Path, prompts: Sequence[Sequence[int]], tick: Callable[[], None]) -> dict[str, Any]:
    """The same for a folder that was built for a device that is not here: its graph and weights are asked on the CPU, which
    proves them but not the device."""
    here = cpu_copy(folder)
    try:
        return run_smoke_test(here, prompts, tick)
    finally:
        shutil.rmtree(here)


def cpu_copy(folder: Path) -> Path:
    """A twin of `folder` beside it that names no device, so that the CPU runs it."""
    here = folder.with_name(f"{folder.name}-cpu")
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(folder, here, copy_function=os.link)
    config = json.loads((here / "genai_config.json").read_text("utf-8"))
    config["model"]["decoder"]["session_options"]["provider_options"] = []
    write_json(here / "genai_config.json", config)
    return here


def first_tokens(folder: Path, prompts: Sequence[Sequence[int]]) -> list[int]:
    """The likeliest first token of each answer according to the torch weights in `folder`."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, trust_remote_code=False, use_safetensors=True
    ).eval()
    with torch.inference_mode():
        return [int(model(torch.tensor([list(ids)]), logits_to_keep=1).logits[0, -1].argmax()) for ids in prompts]


def _portable(value: Any) -> Any:
    """The same with names of files in place of their paths: `model` for the input."""
    if isinstance(value, dict):
        names = {"model_path": "model", "model_name": "model"}
        return {key: names.get(key) or _portable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_portable(each) for each in value]
    return Path(value).name if isinstance(value, str) and os.sep in value else value


def _repair_genai_config(folder: Path) -> None:
    file = folder / "genai_config.json"
    config = json.loads(file.read_text("utf-8"))
    encoder = Encoder(folder)
    known = config["model"].get("eos_token_id")
    ends = known if isinstance(known, list) else [] if known is None else [known]
    ends = sorted({*ends, *encoder.stops})
    config["model"]["eos_token_id"] = ends[0] if len(ends) == 1 else ends
    write_json(file, config)


def _running_pass(said: list[str]) -> str:
    """`quantize`, `build` or `tie`; "" while Olive starts."""
    started = [line for line in said if "Running pass " in line]
    return started[-1].split("Running pass ")[1].split(":")[0] if started else ""
