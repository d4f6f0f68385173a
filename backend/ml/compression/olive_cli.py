"""Olive's command line with what its model builder still lacks (backend.ml.compression.builder_patches).

`python -m backend.ml.compression.olive_cli run --config FILE`
"""

from __future__ import annotations

if __name__ == "__main__":
    from olive.cli.launcher import main
    from olive.passes.onnx import model_builder
    from onnxruntime_genai.models import builder

    from backend.ml.compression.builder_patches import patch_builder, patch_olive

    patch_builder(builder)
    patch_olive(model_builder)
    main(called_as_console_script=False)
