"""An Olive workflow (`olive run --config`, `olive finetune`, `olive optimize`) as a recipe; what has no counterpart is named.

Passes, their fields and the defaults of fields that are not given are those of Olive 0.13
(microsoft.github.io/Olive/reference/pass.html). A pass that trains becomes `finetune`; all that convert or quantize become one
`quantize`, for here they are one stage; a workflow that searches becomes a `search` of quantization schemes. Adapters are
merged by the stages themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from backend.core.errors import Problem, StudioError
from backend.planning import recipes

_TRAINS: dict[str, dict[str, Any]] = {"lora": {}, "dora": {"method": "dora"}, "qlora": {"qlora": True}}
_ROUNDS = {"rtn": "rtn", "kquant": "kquant", "gptq": "gptq", "onnxkquantquantization": "kquant"}
_ROUNDS |= {"onnxblockwisertnquantization": "rtn"}
_MERGES = "mergeadapterweights"
_CONVERTS = "onnxconversion"
_ADAPTER = {
    "r": "rank",
    "alpha": "alpha",
    "lora_dropout": "dropout",
    "target_modules": "targets",
    "modules_to_save": "modules_to_save",
}
_ADAPTER_DEFAULTS = {"r": 64, "alpha": 16, "lora_dropout": 0.05}
_ARGUMENTS = {
    "num_train_epochs": "epochs",
    "max_steps": "max_steps",
    "learning_rate": "learning_rate",
    "per_device_train_batch_size": "batch_size",
    "gradient_accumulation_steps": "accumulation",
    "lr_scheduler_type": "schedule",
    "warmup_ratio": "warmup_ratio",
    "weight_decay": "weight_decay",
    "gradient_checkpointing": "gradient_checkpointing",
}
_ARGUMENT_DEFAULTS = {
    "num_train_epochs": 3,
    "learning_rate": 2e-4,
    "per_device_train_batch_size": 8,
    "lr_scheduler_type": "constant",
    "warmup_ratio": 0.03,
}
"""Those of its LoRA pass, else of transformers' TrainingArguments."""
_GROUP, _BUILDER_BLOCK = 128, 32
"""Weights that share a scale, in a pass that rounds and in ModelBuilder."""
_SCHEDULES = ("cosine", "linear", "constant")
_TARGETS = {"CPUExecutionProvider": "cpu", "CUDAExecutionProvider": "cuda", "DmlExecutionProvider": "directml"}
_BITS = {"4": "int4", "8": "int8"}
_PRECISIONS = ("int4", "fp16", "fp32")
_NEVER = {"hf_remote", "hf_token"}
"""The studio runs no code from a model and asks no hub while it builds."""
_READ = {"input_model", "passes", "systems", "target", "data_configs", "search_strategy"}
_READ |= {"output_dir", "log_severity_level", "host", "cache_dir", "clean_cache", "no_artifacts", "cache_config"}
_READ |= {"evaluate_input_model", "log_to_file"}


class ReadWorkflow(NamedTuple):
    """`recipe`: plain data of a recipe. `left_out`: what of the workflow has no counterpart, each with its place. `model`: its
    own, by name; `reads`: whether it reads rows."""

    recipe: dict[str, Any]
    left_out: list[Problem]
    model: str
    reads: bool

    @property
    def text(self) -> str:
        """The recipe as YAML."""
        return recipes.dump(self.recipe)


def read_file(file: Path) -> str:
    """Raises StudioError for a file that can't be read."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudioError("olive.unreadable", file=file, reason=error) from error


def read_workflow(text: str, file: str, model: str = "", data: str = "") -> ReadWorkflow:
    """The recipe that does what the workflow in this JSON of `file` says. `model` and `data`: references in place of what it
    names. Raises StudioError where it is none, or where a pass that changes what comes out is not known here."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise StudioError("olive.unreadable", file=file, reason=error) from error
    if not isinstance(content, dict) or not isinstance(content.get("passes"), dict):
        raise StudioError("olive.no_workflow", file=file)
    return _Reader(content, PurePath(file), model, data).recipe()


class _Reader:
    """Collects stages and what is left out, pass by pass."""

    def __init__(self, content: dict[str, Any], file: PurePath, model: str, data: str) -> None:
        self.content, self.file, self.given = content, file, data
        self.reads = self.joins = False
        self.left_out: list[Problem] = []
        self.stages: list[dict[str, Any]] = []
        self.quantize: dict[str, Any] = {}
        self.head_of = ""  # where a workflow keeps the output head as it is
        self.named = self._input_model(told=not model)
        self.model = model or self.named

    def recipe(self) -> ReadWorkflow:
        for key in self.content.keys() - _READ:
            self._leave(key, self.content[key])
        for name, given in self._passes():
            self._pass(name, dict(given))
        if self.quantize:
            self._quantize()
        if not self.stages:
            raise StudioError("olive.nothing", file=self.file)
        stem = re.sub(r"[^\w-]+", "-", self.file.stem).strip("-") or "olive"
        made = {"name": stem, "description": f"From the Olive workflow {self.file.name}.", "stages": self.stages}
        return ReadWorkflow(made, self.left_out, self.named, self.reads)

    def _passes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Of alternatives, among which a search chooses, the first."""
        for name, given in self.content["passes"].items():
            each, *others = given if isinstance(given, list) and given else [given]
            if not isinstance(each, dict) or not isinstance(each.get("type"), str):
                raise StudioError("olive.no_workflow", file=self.file)
            for other in others:
                self._leave(f"passes.{name}", other)
            yield name, {**each.get("config", {}), **{key: each[key] for key in each if key != "config"}}

    def _pass(self, name: str, given: dict[str, Any]) -> None:
        kind = given.pop("type").lower()
        if kind in _TRAINS:
            self._finetune(name, given, _TRAINS[kind])
        elif kind in _ROUNDS:
            self._round(name, given, _ROUNDS[kind])
        elif kind == "modelbuilder":
            self._build(name, given)
        elif kind == "graphsurgeries":
            self._surgeries(name, given)
        elif kind == _CONVERTS:
            self.quantize.setdefault("precision", "fp32")
            self._rest(name, given)
        elif kind != _MERGES:
            raise StudioError("olive.pass_unknown", name=name, type=kind)

    def _finetune(self, name: str, given: dict[str, Any], method: dict[str, Any]) -> None:
        data, length = self._data(name, given.pop("train_data_config", None))
        params = {"model": self.model, "data": data, **method}
        arguments = {**_ARGUMENT_DEFAULTS, **(given.pop("training_args", None) or {})}
        given = {**_ADAPTER_DEFAULTS, **given}
        if (arguments.get("max_steps") or 0) < 0:
            del arguments["max_steps"]
        if 0 <= arguments.get("warmup_steps", 1) < 1:  # a share of all
            arguments["warmup_ratio"] = arguments.pop("warmup_steps")
        if not given.get("target_modules"):
            self.left_out.append(Problem(code="olive.targets", args={"place": f"{name}.target_modules"}))
        if arguments.get("lr_scheduler_type", _SCHEDULES[0]) not in _SCHEDULES:
            self._leave(f"{name}.training_args.lr_scheduler_type", arguments.pop("lr_scheduler_type"))
        taken = {ours: given.pop(theirs) for theirs, ours in _ADAPTER.items() if given.get(theirs) is not None}
        taken |= {ours: arguments.pop(theirs) for theirs, ours in _ARGUMENTS.items() if theirs in arguments}
        if "alpha" in taken:
            taken["alpha"] = round(taken["alpha"])
        if self.joins:
            self.left_out.append(Problem(code="olive.joined", args={"place": name}))
        seed = {"seed": arguments.pop("seed")} if "seed" in arguments else {}
        self._rest(f"{name}.training_args", arguments)
        self._rest(name, given)
        self.stages.append({"id": "tuned", "stage": "finetune", **seed, "params": params | taken | length})
        self.model = "${tuned}"

    def _round(self, name: str, given: dict[str, Any], rounding: str) -> None:
        bits = str(given.pop("bits", 4))
        if bits not in _BITS:
            raise StudioError("olive.value_unknown", name=f"{name}.bits", value=bits)
        if self.quantize.get("rounding") == "gptq" and rounding == "rtn" and given.get("lm_head"):
            given["overrides"] = {"lm_head": {"bits": int(bits)}}  # GPTQ leaves the head to a pass of its own
        else:
            self.quantize |= {"precision": _BITS[bits], "rounding": rounding, "block_size": _GROUP}
        for theirs, ours in (("group_size", "block_size"), ("block_size", "block_size"), ("sym", "symmetric")):
            if (value := given.pop(theirs, None)) is not None:
                self.quantize[ours] = value
        self.quantize |= {"tie_embeddings": "always"} if given.pop("embeds", False) else {}
        if (calibration := given.pop("data_config", None)) is not None:
            self.quantize["data"], _length = self._data(name, calibration)
        self.head_of = "" if given.pop("lm_head", False) else f"{name}.lm_head"
        overrides = given.pop("overrides", None) or {}
        head = overrides.pop("lm_head", {}).get("bits")
        overrides.pop("model.embed_tokens", None)  # goes with the head, as one table
        if overrides:
            self._leave(f"{name}.overrides", sorted(overrides))
        self.quantize |= {"head_bits": head} if head and self.quantize["precision"] == "int4" else {}
        self._rest(name, given)

    def _build(self, name: str, given: dict[str, Any]) -> None:
        precision = str(given.pop("precision", "fp32"))
        if precision not in _PRECISIONS:
            raise StudioError("olive.value_unknown", name=f"{name}.precision", value=precision)
        rounded = "rounding" in self.quantize  # then these weights are only written down
        block, symmetric = given.pop("int4_block_size", None), given.pop("int4_is_symmetric", None)
        if not rounded:
            self.quantize["precision"] = precision
        if not rounded and precision == "int4":
            self.quantize |= {"block_size": block or _BUILDER_BLOCK} | ({"symmetric": True} if symmetric else {})
        options = given.pop("extra_options", None) or {}
        self.quantize |= {"adapters": True} if options.pop("disable_qkv_fusion", False) else {}
        self._rest(f"{name}.extra_options", {key: options[key] for key in options.keys() - _NEVER})
        self._rest(name, given)

    def _surgeries(self, name: str, given: dict[str, Any]) -> None:
        for each in given.pop("surgeries", None) or []:
            if each.get("surgeon") == "TieWordEmbeddings":
                self.quantize["tie_embeddings"] = "always"
            else:
                self._leave(f"{name}.surgeries", each.get("surgeon"))
        self._rest(name, given)

    def _quantize(self) -> None:
        if self.head_of:
            self.left_out.append(Problem(code="olive.head", args={"place": self.head_of}))
        target = self._target()
        if self.content.get("search_strategy"):
            shared = {key: self.quantize[key] for key in ("data",) if key in self.quantize}
            if "data" not in shared:
                shared["data"], _length = self._data("search_strategy", None)
            for key, value in self.quantize.items() - shared.items():
                self._leave(f"passes.{key}", value)
            params = {"stage": "quantize", "model": self.model, **shared}
            self.stages.append({"id": "scheme", "stage": "search", "params": params})
            return
        params = {"model": self.model, **self.quantize, **({"target": target} if target != "cpu" else {})}
        self.stages.append({"id": "onnx", "stage": "quantize", "params": params})

    def _target(self) -> str:
        system = (self.content.get("systems") or {}).get(self.content.get("target"), {})
        for accelerator in system.get("accelerators") or []:
            for provider in accelerator.get("execution_providers") or []:
                if provider in _TARGETS:
                    return _TARGETS[provider]
                self._leave("systems.execution_providers", provider)
        return "cpu"

    def _data(self, name: str, given: Any) -> tuple[str, dict[str, Any]]:
        """The reference of the dataset that a data config means, with the stage that makes it before all others, and the
        longest example that it asks for."""
        configs = {each.get("name"): each for each in self.content.get("data_configs") or []}
        found = configs.get(given, {}) if isinstance(given, str) else given or {}
        load, prepare = found.get("load_dataset_config") or {}, found.get("pre_process_data_config") or {}
        files = load.get("data_files")
        self.joins = str(prepare.get("strategy", "join")).startswith("join")
        length = {"max_length": prepare["max_seq_len"]} if prepare.get("max_seq_len") else {}
        self.reads = True
        if self.given:
            return self.given, length
        file = files if isinstance(files, str) else next(iter(files or []), "")
        if not file:
            self.left_out.append(Problem(code="olive.data", args={"place": name, "data": load.get("data_name") or "-"}))
        params: dict[str, Any] = {"source": file, **_columns(prepare.get("text_template") or "")}
        params |= {"max_rows": prepare["max_samples"]} if prepare.get("max_samples") else {}
        if all(stage["id"] != "data" for stage in self.stages):
            self.stages.insert(0, {"id": "data", "stage": "dataset", "params": params})
        return "${data}", length

    def _input_model(self, told: bool) -> str:
        """Known here by the last part of its path or hub name, which is `told`."""
        model = self.content.get("input_model") or {}
        settings = {**(model.get("config") or {}), **model}
        path = str(settings.get("model_path") or "")
        if settings.get("adapter_path"):
            path = str(settings["adapter_path"])
        name = PurePath(path).name
        if not name:
            raise StudioError("olive.value_unknown", name="input_model.model_path", value=path)
        self.left_out += [Problem(code="olive.model", args={"name": name, "path": path})] * told
        return name

    def _leave(self, place: str, value: Any) -> None:
        self.left_out.append(Problem(code="olive.left_out", args={"place": place, "value": json.dumps(value)[:60]}))

    def _rest(self, place: str, given: dict[str, Any]) -> None:
        """Whatever nobody has taken, but for values that ask for nothing."""
        for key, value in given.items():
            if value not in (None, False, {}, []):
                self._leave(f"{place}.{key}", value)


def _columns(template: str) -> dict[str, str]:
    """Input and output column of a text template with two places, such as `### Question: {q} ### Answer: {a}`."""
    places: Callable[[str], list[str]] = re.compile(r"\{(\w+)\}").findall
    found = places(template)
    return {"input": found[0], "output": found[1]} if len(found) == 2 else {}
