"""Sentences about adapters that share one ONNX model."""

MESSAGES: dict[str, tuple[str, str]] = {
    "slots.model": (
        "Only a full model for the CPU can have room for adapters.",
        "Choose the model that the adapters were trained on, and the target CPU.",
    ),
    "slots.none": (
        "This architecture has no places for adapters that the studio knows.",
        "Quantize each adapter on its own: it is merged into its model then.",
    ),
    "slots.no_room": (
        "“{ref}” has no room for adapters.",
        "Quantize the model that the adapter was trained on once more, with “Room for adapters”.",
    ),
    "slots.other_base": (
        "The adapter “{adapter}” was trained on another model than “{ref}” was made from.",
        "Choose an adapter of that model, or quantize the adapter on its own.",
    ),
    "slots.kind": (
        "This adapter is not plain LoRA ({reason}), so it can't be attached.",
        "Quantize the adapter on its own: it is merged into its model then.",
    ),
    "slots.no_place": (
        "The adapter changes “{name}”, for which the ONNX model has no place.",
        "Quantize the adapter on its own, or train one that changes the layers' matrices only.",
    ),
    "slots.parity": (
        "With the adapter attached the ONNX model does not answer as the adapter does ({failed}), so nothing was left.",
        "Read the figures in the job's log; quantize with more bits or smaller blocks, or quantize the adapter on its own.",
    ),
    "slots.attached": (
        "“{ref}” is an adapter that shares its ONNX model, so it can't be handed over alone.",
        "Quantize the adapter on its own and package that.",
    ),
}
