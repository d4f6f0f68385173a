"""Sentences about students cut from a larger model."""

MESSAGES: dict[str, tuple[str, str]] = {
    "cut.tokenizer": (
        "This vocabulary can't be pruned: the tokenizer is {type}, not byte-level BPE.",
        "Keep the full vocabulary.",
    ),
    "cut.nothing": (
        "Nothing to prune: all layers and the full vocabulary are kept.",
        "Choose how many layers to keep, or prune the vocabulary.",
    ),
    "cut.layers": (
        "Layers of this model can't be pruned: “{architecture}” is not supported.",
        "Keep all layers, or choose a model of another kind.",
    ),
}
