"""Sentences about adapters that come in."""

MESSAGES: dict[str, tuple[str, str]] = {
    "adapters.kind": (
        "{path} contains an adapter of type {kind}; the studio reads LoRA.",
        "Merge it into its model with PEFT, then import the result.",
    ),
    "adapters.weights": (
        "{path} contains no adapter_model.safetensors.",
        "Save the adapter again with `save_pretrained(folder)`, which writes safetensors.",
    ),
    "adapters.no_base": (
        "The adapter belongs to “{base}”, which is not in this studio.",
        "Import that model first, under the name “{name}”.",
    ),
    "adapters.empty": (
        "The adapter for “{base}” contains no LoRA weights.",
        "Save it again with `save_pretrained(folder)`.",
    ),
    "adapters.other_base": (
        "The adapter does not fit “{base}”: {tensor} has another size or is missing.",
        "Import the model that the adapter was trained on.",
    ),
    "adapters.base_taken": ("The adapter was attached to “{base}” and uses its tokenizer.", "Nothing to do."),
}
