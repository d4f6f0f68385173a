"""Sentences about students cut from a larger model."""

MESSAGES: dict[str, tuple[str, str]] = {
    "cut.tokenizer": (
        "The vocabulary of this model can't be cut: its tokenizer is of the type {type}, and only byte-level BPE can be.",
        "Keep the vocabulary whole.",
    ),
    "cut.nothing": (
        "All layers and the whole vocabulary would stay: nothing is cut.",
        "Choose how many layers to keep, or cut the vocabulary to the data.",
    ),
    "cut.layers": (
        "This kind of model can't be cut in layers: “{architecture}” keeps them in another way.",
        "Keep all layers, or choose a model of another kind.",
    ),
}
