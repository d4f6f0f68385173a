"""What the model builder of onnxruntime-genai 0.14 reads wrongly or not at all, put right before it writes a graph.

It knows numbers by the names that they had before transformers 5, assumes which layers attend to a window only, computes OLMo's
norms without their mean, and misses tensors that Olive has rounded. Each function says what it mends; the tests compare logits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import safetensors.torch
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

_YARN = {"beta_fast": 32.0, "beta_slow": 1.0}
"""What transformers computes with where a config leaves them out (modeling_rope_utils._compute_yarn_parameters)."""
_TURNS_A_PART = ("phi", "phi3", "nemotron")
"""Types that turn only a part of each head even where positions are not stretched."""
_NORM_EPSILON = ("rms_norm_eps", "layer_norm_eps", "norm_eps")
_OLMO_EPSILON = 1e-5
"""Written into transformers' OlmoLayerNorm; no config holds it."""
_OWN_NAMES = {"model.final_layernorm.": "model.norm.", ".self_attn.dense.": ".self_attn.o_proj."}
"""How Phi-1 and Phi-2 call what Olive's reader of rounded weights knows by another name."""


def complete_config(config: Any) -> Any:
    """`config` with the numbers that the builder would miss, under the names that it reads, in place."""
    epsilon = next(
        (found for name in _NORM_EPSILON if (found := getattr(config, name, None)) is not None), _OLMO_EPSILON
    )
    config.rms_norm_eps = epsilon
    rope = getattr(config, "rope_parameters", None)
    if not isinstance(rope, dict):
        return config
    if "full_attention" in rope:
        config.rope_theta = rope["full_attention"]["rope_theta"]
        config.rope_local_base_freq = rope["sliding_attention"]["rope_theta"]
        return config
    kind = rope.get("rope_type", rope.get("type"))
    config.rope_theta = rope.get("rope_theta", 10000.0)
    if part := rope.get("partial_rotary_factor"):
        config.partial_rotary_factor = part if kind != "default" or config.model_type in _TURNS_A_PART else 1.0
    if kind == "longrope":
        rope["type"] = kind
    if kind == "yarn":
        _complete_yarn(config, rope)
    return config


def _complete_yarn(config: Any, rope: dict[str, Any]) -> None:
    """Also `frequencies` as transformers computes them, which `patch_builder` hands on: the builder rounds no limits."""
    frequencies, factor = ROPE_INIT_FUNCTIONS["yarn"](config, "cpu")
    rope.update({name: rope.get(name) or value for name, value in _YARN.items()})
    rope.update({"mscale": factor, "mscale_all_dim": 0, "frequencies": frequencies})


def patch_builder(builder: Any) -> None:
    """Let the module `builder` complete each config that it loads, and mend its classes."""
    configs: list[Any] = []

    class Configs(builder.AutoConfig):  # type: ignore[misc]
        @classmethod
        def from_pretrained(cls, *given: Any, **named: Any) -> Any:
            configs.append(complete_config(super().from_pretrained(*given, **named)))
            return configs[-1]

    def yarn_frequencies(_model: Any, _inv_freq: Any) -> Any:
        return configs[-1].rope_parameters["frequencies"]

    attend = builder.Model.make_attention

    def attend_in_its_window(model: Any, layer_id: int, *given: Any, **named: Any) -> None:
        """Layers attend to a window or to all as the config says, not as a model of that type usually does."""
        before, types = model.window_size, getattr(configs[-1], "layer_types", None)
        if types:
            model.window_size = (configs[-1].sliding_window or -1) if types[layer_id] == "sliding_attention" else -1
        attend(model, layer_id, *given, **named)
        model.window_size = before

    builder.AutoConfig = Configs
    builder.Model.make_inv_freq_rescaled_with_ntk = yarn_frequencies
    builder.Model.make_attention = attend_in_its_window
    builder.SmolLM3Model.make_attention_qk_rope = _rope_where_positions
    builder.HunyuanDenseV1Model.make_attention_qk_rope_and_norm = _rope_then_norm
    builder.Gemma3Model = _gemma3(builder)
    builder.OLMoModel = _olmo(builder)


def _rope_where_positions(model: Any, layer_id: int, **named: Any) -> tuple[str, str]:
    """Rotary embedding for the layers that have one; SmolLM3 leaves it out of every fourth."""
    if not model.no_rope_layers[layer_id]:
        return "", ""
    found: tuple[str, str] = super(type(model), model).make_attention_qk_rope(layer_id, **named)
    return found


def _rope_then_norm(model: Any, layer_id: int, attention: Any, **named: Any) -> tuple[str, str]:
    """Hunyuan's order, with its norms also where Olive has rounded the model and left empty ones of the usual name."""
    attention.q_norm, attention.k_norm = attention.query_layernorm, attention.key_layernorm
    names: tuple[str, str] = model.make_attention_qk_rope(layer_id, **named)
    model.make_attention_qk_norm(layer_id, attention)
    return names


def _gemma3(builder: Any) -> type:
    class Gemma3(builder.Gemma3Model):  # type: ignore[misc]
        """Positions of the layers that attend to all are stretched from 4B on (factor 8); those of a window never."""

        def __init__(self, config: Any, *given: Any) -> None:
            self.stretch = float(config.rope_parameters["full_attention"].get("factor") or 1.0)
            super().__init__(config, *given)

        def make_rotary_embedding_caches_from_scratch(self) -> Any:
            self.rope_attrs["rescale_factors"] = (
                1.0 if self.rope_attrs["theta"] is self.rope_local_theta else self.stretch
            )
            return super().make_rotary_embedding_caches_from_scratch()

    return Gemma3


def _olmo(builder: Any) -> type:
    class Olmo(builder.OLMoModel):  # type: ignore[misc]
        """Norms that subtract the mean, and the limits of queries, keys and values."""

        def __init__(self, config: Any, *given: Any) -> None:
            super().__init__(config, *given)
            self.layernorm_attrs["simple"] = False
            self.limit = config.clip_qkv

        def make_attention_input_proj(self, layer_id: int, *given: Any, **named: Any) -> None:
            super().make_attention_input_proj(layer_id, *given, **named)
            for path in ("q_path", "k_path", "v_path"):
                if self.limit is not None and self.attention_attrs[path]:
                    self.attention_attrs[path] = self._clip(layer_id, path)

        def _clip(self, layer_id: int, path: str) -> str:
            name, constants = f"/model/layers.{layer_id}/attn/{path}/Clip", f"/model/constants/{self.io_dtype.name}"
            limits = [f"{constants}/{-self.limit}", f"{constants}/{self.limit}"]
            shape = ["batch_size", "sequence_length", None]
            self.make_clip(name, [self.attention_attrs[path], *limits], dtype=self.io_dtype, shape=shape)
            return f"{name}/output_0"

    return Olmo


def patch_olive(model_builder: Any) -> None:
    """Let Olive's module read rounded weights of Phi-1 and Phi-2, whose names it does not know."""
    read = model_builder.OliveQuantizedModel.__init__

    def read_by_usual_names(
        model: Any, quant_type: str, input_path: Any, quant_attrs: dict[str, Any], *sizes: Any, **named: Any
    ) -> None:
        overrides = quant_attrs["config"].get("overrides") or {}
        quant_attrs["config"]["overrides"] = {_usual(f"{name}.")[:-1]: each for name, each in overrides.items()}
        with _usual_names():
            read(model, quant_type, input_path, quant_attrs, *sizes, **named)

    model_builder.OliveQuantizedModel.__init__ = read_by_usual_names


@contextmanager
def _usual_names() -> Iterator[None]:
    load = safetensors.torch.load_file
    safetensors.torch.load_file = lambda *given, **named: {
        _usual(name): value for name, value in load(*given, **named).items()
    }
    try:
        yield
    finally:
        safetensors.torch.load_file = load


def _usual(name: str) -> str:
    for own, usual in _OWN_NAMES.items():
        name = name.replace(own, usual)
    return name
