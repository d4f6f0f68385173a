"""Slots for LoRA adapters in an ONNX decoder, so that one model serves many: beside a layer's product x W goes x A B, whose
A and B are inputs of the graph that are empty (rank 0) unless an adapter is active.

Olive's ExtractAdapters needs an adapter inside the graph and then only knows floats: its ModelBuilder can't read a base whose
weights Olive has rounded together with an adapter, and an adapter that `convert-adapters` writes carries PEFT's names, which
no graph of ModelBuilder has (ONNX Runtime: “Invalid input name”). Here the slots are inserted into the finished graph of any
precision, and adapters are written under its names.
"""

from __future__ import annotations

import re
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from safetensors.numpy import load_file

from backend.core.errors import StudioError

_MATMUL_NAME = re.compile(r"/layers\.(\d+)/\w+/(\w+_proj)/MatMul\w*$")
_LORA_WEIGHT_NAME = re.compile(r"\.layers\.(\d+)\.\w+\.(\w+)\.lora_([AB])\.weight$")


def add_slots(folder: Path) -> int:
    """Rewrite `folder`/model.onnx; how many places it has now. Weights beside it stay as they are."""
    file = folder / "model.onnx"
    model = onnx.load(str(file), load_external_data=False)
    graph, shapes = model.graph, {each.name: tuple(each.dims) for each in model.graph.initializer}
    nodes, count = [], 0
    for node in graph.node:
        nodes.append(node)
        found = _MATMUL_NAME.search(node.name)
        if found and node.op_type in ("MatMul", "MatMulNBits"):
            nodes += _lora_nodes(graph, node, f"layers.{found[1]}.{found[2]}", _weight_shape(node, shapes))
            count += 1
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, str(file))
    return count


def _weight_shape(node: Any, shapes: dict[str, tuple[int, ...]]) -> tuple[int, int]:
    """Inputs and outputs of the product."""
    if node.op_type == "MatMul":
        first, second = shapes[node.input[1]]
        return first, second
    known = {each.name: each.i for each in node.attribute}
    return known["K"], known["N"]


def _lora_nodes(graph: Any, node: Any, place: str, sides: tuple[int, int]) -> list[Any]:
    """The nodes that add x A B to the product; what read its output reads the sum."""
    down, up, whole = f"{place}.lora_A", f"{place}.lora_B", node.output[0]
    for name, shape, empty in ((down, (sides[0], "rank"), (sides[0], 0)), (up, ("rank", sides[1]), (0, sides[1]))):
        graph.input.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape))
        graph.initializer.append(numpy_helper.from_array(np.zeros(empty, dtype=np.float32), name))
    node.output[0] = f"{place}/plain"
    return [
        helper.make_node("MatMul", [node.input[0], down], [f"{place}/down"], f"/{place}/lora_A"),
        helper.make_node("MatMul", [f"{place}/down", up], [f"{place}/up"], f"/{place}/lora_B"),
        helper.make_node("Add", [f"{place}/plain", f"{place}/up"], [whole], f"/{place}/lora_sum"),
    ]


def write_adapter(adapter: Path, folder: Path, target: Path) -> None:
    """PEFT's LoRA in `adapter` as a file that the model in `folder` can activate. Raises StudioError when it is of another
    kind or changes what has no place."""
    from peft import LoraConfig  # slow to import, and most exports do without

    config = LoraConfig.from_pretrained(str(adapter))
    odd = [name for name in ("use_dora", "modules_to_save", "rank_pattern", "alpha_pattern") if getattr(config, name)]
    if odd or config.bias != "none":
        raise StudioError("slots.kind", reason=", ".join(odd or ["bias"]))
    scale = config.lora_alpha / (sqrt(config.r) if config.use_rslora else config.r)
    places = {each.name for each in onnx.load(str(folder / "model.onnx"), load_external_data=False).graph.input}
    values = {}
    for name, weights in load_file(adapter / "adapter_model.safetensors").items():
        found = _LORA_WEIGHT_NAME.search(name)
        place = f"layers.{found[1]}.{found[2]}.lora_{found[3]}" if found else ""
        if place not in places:
            raise StudioError("slots.no_place", name=name.removeprefix("base_model.model."))
        scaled = weights.T.astype(np.float32) * (scale if place.endswith("B") else 1)
        values[place] = onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(scaled))
    written = onnxruntime.AdapterFormat()
    written.set_parameters(values)
    written.export_adapter(str(target))
