"""Sentences about training."""

from backend.core.messages.plurals import plural

MESSAGES: dict[str, tuple[str, str]] = {
    "train.tracker_unknown": ("SLMOPS_TRACKERS: “{name}” is not a known tracker.", "Use {known}, or unset it."),
    "train.tracker_missing": (
        "SLMOPS_TRACKERS: the package of “{name}” is not installed.",
        "Run `pip install {package}` in the studio's environment, or unset it.",
    ),
    "train.no_rows": (
        "“{data}” has no labelled training rows.",
        "Choose a dataset with answers, or let a teacher answer it first.",
    ),
    "train.too_long": (
        "None of the {rows} answers in “{data}” fits in {max_length} tokens.",
        "Raise the maximum length.",
    ),
    "train.context": (
        "{max_length} tokens exceed the model's context of {context}.",
        "Lower the maximum length.",
    ),
    "train.layers": (
        "Layer {layer} does not exist: the model has layers 0 to {last}.",
        "List existing layers, each once.",
    ),
    "train.layers_twice": (
        "Both a layer list and a layer count are set.",
        "Set one or the other.",
    ),
    "train.keep_layers": (
        "Can't keep {keep} layers: the model has {layers}.",
        "Choose a number from 1 to {layers}, or 0 to keep the model whole.",
    ),
    "train.targets": (
        "The model has no module called “{target}”.",
        "Use all-linear, or names such as {known}.",
    ),
    "train.modules_to_save": (
        "The model has no module “{target}” to train whole.",
        "Use names such as {known}; adapted modules can’t be among them.",
    ),
    "train.odd_rank": (
        "Orthogonal initialization needs an even rank, not {rank}.",
        "Choose an even rank, or the default initialization.",
    ),
    "train.rate_large": (
        "A learning rate of {rate} is high for this model and method.",
        "{low} to {high} is usual.",
    ),
    "train.qlora_size": (
        "QLoRA in 4 bits needs a hidden size divisible by {block}; this model's is {size}.",
        "Choose 8 bits, or train it without QLoRA.",
    ),
    "train.no_validation": (
        "“{data}” has no validation rows to tell the best weights.",
        "Split off validation rows, or keep the last weights without early stopping.",
    ),
    "train.no_checkpoints": (
        "“{data}” has no validation rows, and only evaluations leave checkpoints.",
        "Split off validation rows, or keep 0 checkpoints.",
    ),
    "train.no_validation_left": (
        "No validation row fits the maximum length.",
        "Raise the maximum length, or keep the last weights without early stopping.",
    ),
    "preference.none": (
        "“{data}” has no rejected answers to learn from.",
        "Import rows with prompt, chosen and rejected; or with prompt, completion and a mark.",
    ),
    "preference.try_kto": (
        "“{data}” has rejected answers, but not beside preferred ones.",
        "Choose KTO, which learns from single answers.",
    ),
    "preference.one_sided": (
        "“{data}” has only good or only rejected answers that fit.",
        "Add the other ones, or raise the maximum length.",
    ),
    "preference.kto_batch": (
        "KTO compares the answers of a batch, so it needs several.",
        "Choose a batch size of at least 2.",
    ),
    "text.none": (
        "“{data}” has no text without answers to read.",
        "Fine-tune on its answers, or import the text without an answer column.",
    ),
    "text.answered": (
        plural(
            "{count} row of “{data}” has an answer and is left out.",
            "{count} rows of “{data}” have answers and are left out.",
        ),
        "Fine-tune the resulting model on them.",
    ),
    "text.no_gain": (
        "The model reads the text no better than before: validation loss {loss}, before {before}.",
        "Lower the learning rate, or add text.",
    ),
    "text.few": (
        "“{data}” has {tokens} tokens, fewer than {least} blocks of {max_length}.",
        "Add text, or choose shorter blocks.",
    ),
    "text.few_expected": (
        "“{data}” has about {tokens} tokens; {least} blocks of {max_length} are needed.",
        "Add text, or choose shorter blocks.",
    ),
    "train.diverged": (
        "Training diverged: the loss is not a number at step {step}.",
        "Lower the learning rate or choose a longer warm-up.",
    ),
}
