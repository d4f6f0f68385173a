"""Sentences about adapters that come in."""

_MERGE = "Merge it into its model with PEFT, then import the result."
_OWN_CONFIG = "Use the adapter_config.json that belongs to these weights."
_OTHER_MODEL = "Import the model that the adapter was trained on."

MESSAGES: dict[str, tuple[str, str]] = {
    "adapters.kind": ("{path} contains an adapter of type {kind}; the studio reads LoRA.", _MERGE),
    "adapters.feature": ("The adapter in {path} uses “{feature}”, which the studio does not read.", _MERGE),
    "adapters.task": (
        "The adapter in {path} is for {task}, not for writing text.",
        "Choose an adapter of the task type CAUSAL_LM.",
    ),
    "adapters.start": (
        "The adapter in {path} was initialized with {kind}, which changes the base as well.",
        "Convert it to a plain LoRA with PEFT, then import it.",
    ),
    "adapters.mlx": (
        "{path} contains an adapter in MLX’s format.",
        "Fuse it into its model with `mlx_lm.fuse`, then import the result.",
    ),
    "adapters.weights": (
        "{path} contains no adapter_model.safetensors.",
        "Save the adapter again with `save_pretrained(folder)`, which writes safetensors.",
    ),
    "adapters.dtype": (
        "The weight “{tensor}” in {path} is {dtype}; an adapter has floats of 16 or 32 bits.",
        "Save the adapter again in one of these.",
    ),
    "adapters.no_base": (
        "The adapter belongs to “{base}”, which is not in this studio.",
        "Import that model first, under the name “{name}”, or choose the base yourself (`--base`).",
    ),
    "adapters.no_adapter": ("{path} is no LoRA adapter, so it has no base.", "Import it without `--base`."),
    "adapters.several": (
        "Several different models are called “{name}”: {ids}.",
        "Choose the one that the adapter was trained on (`--base`).",
    ),
    "adapters.base_differs": (
        "The adapter was trained on {id}; “{base}” has other weights.",
        "Import that model, or choose the base yourself (`--base`).",
    ),
    "adapters.empty": (
        "The adapter in {path} contains no LoRA weights.",
        "Save it again with `save_pretrained(folder)`.",
    ),
    "adapters.targets": ("“{base}” has no module called {names}.", _OTHER_MODEL),
    "adapters.other_base": (
        "The adapter does not fit “{base}”: {tensor} has another size or is missing.",
        _OTHER_MODEL,
    ),
    "adapters.rank": ("adapter_config.json says rank {rank}, but “{tensor}” has rank {have}.", _OWN_CONFIG),
    "adapters.missing": (
        "{count} weights of the adapter are missing: {names}.",
        "Save the adapter again with `save_pretrained(folder)`; nothing is made up in their place.",
    ),
    "adapters.unexpected": ("The adapter’s configuration has no place for {count} weights: {names}.", _OWN_CONFIG),
    "adapters.key": (
        "adapter_config.json contains “{key}”, which this version of PEFT does not know.",
        "Merge the adapter with the version that saved it, then import the result.",
    ),
    "adapters.not_built": ("PEFT can’t attach the adapter to “{base}”: {reason}", _OWN_CONFIG),
    "adapters.tied": (
        "The adapter changes {names}, a table that “{base}” uses for input and output.",
        _MERGE,
    ),
    "adapters.tokenizer": ("The adapter’s tokenizer.json has other tokens than that of “{base}”.", _MERGE),
    "adapters.base_taken": ("The adapter was attached to “{base}” and uses its tokenizer.", "Nothing to do."),
    "adapters.base_chosen": (
        "The adapter names “{named}” as its base; “{base}” was chosen.",
        "Compare answers with where it was trained: equal shapes do not prove equal weights.",
    ),
    "adapters.own_tokenizer": ("The adapter brings its own {files}, which are used.", "Nothing to do."),
    "adapters.names_taken": ("The names of the adapter’s weights were written as PEFT does.", "Nothing to do."),
    "adapters.untrained": (
        "The adapter changes nothing: its B matrices are zero.",
        "Check that this is the trained checkpoint.",
    ),
}
