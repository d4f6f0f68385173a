"""Olive's command line with what its model builder still lacks.

`python -m backend.ml.compression.olive_cli run --config FILE`
The builder of onnxruntime-genai 0.14 reads numbers by the names that they had before transformers 5, takes a YaRN without
`beta_fast` for no scaling and rounds no limits of another, and asks layers of SmolLM3 that have no positions for them.
"""

from __future__ import annotations

from typing import Any

from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.gemma3.configuration_gemma3 import Gemma3TextConfig

_YARN = {"beta_fast": 32.0, "beta_slow": 1.0}
"""What transformers computes with where a config leaves them out (modeling_rope_utils._compute_yarn_parameters)."""


def patch_gemma3_config(config: Any = Gemma3TextConfig) -> None:
    """Give Gemma 3's configs the attributes `rope_theta` and `rope_local_base_freq`."""
    config.rope_theta = property(lambda self: self.rope_parameters["full_attention"]["rope_theta"])
    config.rope_local_base_freq = property(lambda self: self.rope_parameters["sliding_attention"]["rope_theta"])


def complete_rope(config: Any) -> Any:
    """`config` with the numbers of its rotary embedding that the builder would miss, in place. For YaRN also `frequencies`
    as transformers computes them, which `patch_builder` hands on."""
    rope = getattr(config, "rope_parameters", None)
    if not isinstance(rope, dict):
        return config
    kind = rope.get("rope_type", rope.get("type"))
    if kind == "longrope":
        rope["type"] = kind
    if kind == "yarn":
        frequencies, factor = ROPE_INIT_FUNCTIONS["yarn"](config, "cpu")
        rope.update({name: rope.get(name) or value for name, value in _YARN.items()})
        rope.update({"mscale": factor, "mscale_all_dim": 0, "frequencies": frequencies})
    return config


def patch_builder(builder: Any) -> None:
    """Let the module `builder` complete each config that it loads, and mend two of its classes."""
    configs: list[Any] = []

    class Configs(builder.AutoConfig):  # type: ignore[misc]
        @classmethod
        def from_pretrained(cls, *given: Any, **named: Any) -> Any:
            configs.append(complete_rope(super().from_pretrained(*given, **named)))
            return configs[-1]

    def yarn_frequencies(_model: Any, _inv_freq: Any) -> Any:
        return configs[-1].rope_parameters["frequencies"]

    builder.AutoConfig = Configs
    builder.Model.make_inv_freq_rescaled_with_ntk = yarn_frequencies
    builder.SmolLM3Model.make_attention_qk_rope = _rope_where_positions


def _rope_where_positions(model: Any, layer_id: int, **named: Any) -> tuple[str, str]:
    """Rotary embedding for the layers that have one; SmolLM3 leaves it out of every fourth."""
    if not model.no_rope_layers[layer_id]:
        return "", ""
    found: tuple[str, str] = super(type(model), model).make_attention_qk_rope(layer_id, **named)
    return found


if __name__ == "__main__":
    from olive.cli.launcher import main
    from onnxruntime_genai.models import builder

    patch_gemma3_config()
    patch_builder(builder)
    main(called_as_console_script=False)
