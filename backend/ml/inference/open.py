"""The door to models: torch weights and adapters run in transformers, ONNX folders in ONNX Runtime GenAI."""

from __future__ import annotations

from collections.abc import Callable

from backend.core.errors import StudioError
from backend.core.schemas import ArtifactView, Kind
from backend.inference.engine import Engine
from backend.inference.protocol import Lookup, not_here


def open_engine(view: ArtifactView, lookup: Lookup) -> Engine:
    """Load the model behind `view`, to answer one prompt after another; `lookup` finds the base of an adapter by id. Raises
    StudioError for other kinds, and for a model that was built for another device."""
    return open_runtime(view)(view, lookup)


def open_runtime(view: ArtifactView) -> Callable[[ArtifactView, Lookup], Engine]:
    """What loads models of this kind; its libraries are in memory afterwards and no model is. Raises StudioError as
    `open_engine`."""
    if target := not_here(view.facts):
        raise StudioError("quant.not_here", ref=view.name, target=target)
    if view.kind in (Kind.MODEL, Kind.ADAPTER):
        from backend.ml.inference.torch_engine import TorchEngine

        return TorchEngine
    if view.kind is Kind.ONNX:
        from backend.ml.inference.genai_decoder import GenAIDecoder

        return lambda view, lookup: Engine(view, GenAIDecoder(view, lookup))
    raise StudioError("core.artifact_kind", ref=view.name, kind=view.kind, wanted="model / adapter / onnx")
