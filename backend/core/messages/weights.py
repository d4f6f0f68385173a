"""Sentences about what is wrong with the weights and files of a model."""

MESSAGES: dict[str, tuple[str, str]] = {
    "models.value": ("{file} in {path}: “{key}” is invalid ({reason}).", "Download or copy that file again."),
    "models.tensor": (
        "{file} in {path}: the size of tensor “{tensor}” does not match its shape.",
        "The file is damaged. Download or copy it again.",
    ),
    "models.part_missing": (
        "{path} has {have} of {want} weight files; {file} is missing.",
        "Copy every part of the weights.",
    ),
    "models.variants": (
        "{path} contains several variants of the weights ({files}).",
        "Keep the one you want and remove the others.",
    ),
    "models.adapter_weights": (
        "{path} contains a LoRA adapter’s weights (“{tensor}”), not a whole model.",
        "Import the adapter’s own folder, with its adapter_config.json.",
    ),
    "models.mlx": (
        "The weights in {path} are quantized by MLX.",
        "Import the original weights; the studio quantizes them itself.",
    ),
    "models.fp8": (
        "The weights in {path} are 8-bit floats (“{tensor}”).",
        "Import the original weights in 16 or 32 bits.",
    ),
    "models.integers": (
        "The weights in {path} are integers (“{tensor}”).",
        "Import the original weights in 16 or 32 bits.",
    ),
    "models.not_built": (
        "transformers can’t build the model from its config.json: {reason}",
        "Use the config.json that belongs to these weights.",
    ),
    "models.missing_tensors": (
        "{count} weights of the model are missing: {names}.",
        "Save the whole model again; missing weights are not made up.",
    ),
    "models.mismatched_tensors": (
        "{count} weights don't have the shape given in config.json: {names}.",
        "Use the config.json that belongs to these weights.",
    ),
    "models.unexpected_tensors": (
        "The architecture does not use {count} of the weights: {names}.",
        "Use the config.json that belongs to these weights.",
    ),
    "models.not_finite": (
        "The weight “{tensor}” contains NaN or infinity.",
        "Use an earlier checkpoint: this one diverged or overflowed.",
    ),
    "models.tensor_twice": (
        "The weight “{tensor}” is in {file} and in another file of {path}.",
        "Keep the files of one save and remove the others.",
    ),
    "models.zero_weights": (
        "{count} weights hold nothing but zeros: {names}.",
        "If that is not meant so, a download broke off: fetch them again.",
    ),
    "models.tied_differ": (
        "config.json says input and output share one table, but the weights contain two different ones.",
        "Set `tie_word_embeddings` to false in config.json.",
    ),
    "models.check_time": (
        "Checking the weights took over {seconds} s.",
        "Copy them to a faster disk and import them again.",
    ),
    "models.check_memory": (
        "Checking the weights needs more than {limit} of memory.",
        "Check that the files belong to one model.",
    ),
    "models.check_stopped": ("The check of the weights stopped: {reason}", "Check that the files are undamaged."),
    "models.trial_failed": (
        "The model failed at its first answer: {reason}",
        "Check that its files belong together; this architecture may need another version of transformers.",
    ),
    "models.variant_taken": ("The weights were taken from {file}.", "Nothing to do."),
    "models.prefix_taken": ("“{prefix}” was removed from the names of all weights.", "Nothing to do."),
    "gguf.parts": (
        "{file} is one of {count} parts of a split model.",
        "Merge them with `llama-gguf-split --merge` and import the result.",
    ),
    "gguf.parts_missing": (
        "{file} is one part of a split model; others are missing: {missing}.",
        "Put all parts into one folder, or merge them with `llama-gguf-split --merge`.",
    ),
    "gguf.layers": (
        "{file} has {blocks} layers, but its metadata speaks of {layers}.",
        "The file is damaged. Download or copy it again.",
    ),
    "gguf.tensors": (
        "Two tensors of {file} share their bytes, or one ends beyond the file.",
        "The file is damaged. Download or copy it again.",
    ),
    "gguf.parts_mixed": ("{file} and the parts beside it are not of one model.", "Download or copy all parts again."),
}
