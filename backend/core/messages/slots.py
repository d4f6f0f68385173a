"""Sentences about adapters that share one ONNX model."""

MESSAGES: dict[str, tuple[str, str]] = {
    "slots.model": (
        "Only a full CPU model can have adapter slots.",
        "Choose the model that the adapters were trained on, and the target CPU.",
    ),
    "slots.none": (
        "This architecture does not support adapter slots.",
        "Quantize each adapter separately; it is merged into its model.",
    ),
    "slots.no_room": (
        "“{ref}” has no adapter slots.",
        "Quantize the adapter's base model again with “Adapter slots”.",
    ),
    "slots.other_base": (
        "“{adapter}” was trained on a different base model than “{ref}”.",
        "Choose an adapter of that model, or quantize the adapter on its own.",
    ),
    "slots.kind": (
        "Only plain LoRA adapters can be attached ({reason}).",
        "Quantize the adapter separately; it is merged into its model.",
    ),
    "slots.no_place": (
        "The adapter changes “{name}”, which has no slot in the ONNX model.",
        "Quantize the adapter on its own, or train one that changes the layers' matrices only.",
    ),
    "slots.parity": (
        "With the adapter attached, the ONNX model answers differently ({failed}). Nothing was saved.",
        "Read the figures in the job's log; quantize with more bits or smaller blocks, or quantize the adapter on its own.",
    ),
    "slots.attached": (
        "“{ref}” shares its ONNX model, so it can't be packaged alone.",
        "Quantize the adapter on its own and package that.",
    ),
}
