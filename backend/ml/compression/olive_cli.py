"""Olive's command line with what its model builder still asks of configs.

`python -m backend.ml.compression.olive_cli run --config FILE`
The builder of onnxruntime-genai 0.14 reads two numbers of Gemma 3 by the names that they had before transformers 5.
"""

from __future__ import annotations

from typing import Any

from transformers.models.gemma3.configuration_gemma3 import Gemma3TextConfig


def patch_gemma3_config(config: Any = Gemma3TextConfig) -> None:
    """Give Gemma 3's configs the attributes `rope_theta` and `rope_local_base_freq`."""
    config.rope_theta = property(lambda self: self.rope_parameters["full_attention"]["rope_theta"])
    config.rope_local_base_freq = property(lambda self: self.rope_parameters["sliding_attention"]["rope_theta"])


if __name__ == "__main__":
    from olive.cli.launcher import main

    patch_gemma3_config()
    main(called_as_console_script=False)
