"""Sentences about what an architecture lacks."""

MESSAGES: dict[str, tuple[str, str]] = {
    "arch.no_export": (
        "The ONNX exporter (onnxruntime-genai) does not support “{architecture}” models.",
        "Use it in the studio, or choose another model, such as Llama, Qwen, Phi or Gemma.",
    ),
    "arch.no_rope": (
        "The ONNX exporter (onnxruntime-genai) does not support RoPE scaling “{scaling}”.",
        "Use it in the studio, or choose another model, such as Llama, Qwen, Phi or Gemma.",
    ),
    "arch.no_part": (
        "The ONNX exporter (onnxruntime-genai) leaves out “{setting}” of “{architecture}” models.",
        "Use it in the studio, or choose another model, such as Llama, Qwen, Phi or Gemma.",
    ),
    "arch.export_fails": (
        "The ONNX exporter (onnxruntime-genai) gets “{architecture}” wrong at {precision}: {reason}",
        "Choose another precision or model.",
    ),
    "arch.tune_only": (
        "“{architecture}” models can be tuned and used for chat, but not exported to ONNX.",
        "To build a package, choose another model, such as Llama, Qwen, Phi or Gemma.",
    ),
    "arch.tune_wrong": (
        "“{architecture}” models can be tuned, but their {precision} export is wrong: {reason}",
        "For a package, choose another precision or model.",
    ),
}
