"""Sentences about training."""

MESSAGES: dict[str, tuple[str, str]] = {
    "train.no_rows": (
        "“{data}” has no row with an answer to train on in its train split.",
        "Choose a dataset with answers, or let a teacher answer it first.",
    ),
    "train.too_long": (
        "None of the {rows} answers of “{data}” fits into {max_length} tokens.",
        "Raise the maximum length.",
    ),
    "train.context": (
        "{max_length} tokens are more than the model's context of {context}.",
        "Lower the maximum length.",
    ),
    "train.layers": (
        "Layer {layer} can't be kept: the model has the layers 0 to {last}.",
        "Name layers that the model has, each once.",
    ),
    "train.layers_twice": (
        "Both the layers and their number are given.",
        "Give either the list of layers or how many to keep.",
    ),
    "train.keep_layers": (
        "{keep} layers can't be kept of a model that has {layers}.",
        "Choose a number from 1 to {layers}, or 0 to keep the model whole.",
    ),
    "train.targets": (
        "The model has no module called “{target}”.",
        "Use all-linear, or names such as {known}.",
    ),
    "train.qlora_size": (
        "QLoRA needs a hidden size that is a multiple of {block}, and this model's is {size}.",
        "Train it without QLoRA.",
    ),
    "train.diverged": (
        "The loss is no longer a number at step {step}: the training has diverged.",
        "Lower the learning rate or choose a longer warm-up.",
    ),
}
