"""Sentences about engines, endpoints, teacher answers, evaluation, quantization and packages."""

MESSAGES: dict[str, tuple[str, str]] = {
    "chat.one_teacher": (
        "Exactly one of a local model and an endpoint must answer.",
        "Choose a model, or a saved endpoint, or give endpoint_url and endpoint_model; not two of them.",
    ),
    "chat.endpoint_url": (
        "“{url}” is not the address of an endpoint.",
        "Give http(s)://host/v1 without user name, password or question mark.",
    ),
    "chat.endpoint_key_name": (
        "{name} is not the name of a variable that may be sent to an endpoint.",
        "Put the key into a variable whose name ends in API_KEY, such as OPENAI_API_KEY.",
    ),
    "chat.endpoint_model_missing": ("The endpoint needs the name of a model.", "Fill in endpoint_model."),
    "chat.endpoint_key_missing": (
        "The environment variable {key_env} is not set, so {url} can't be asked.",
        "Set it to your key before the worker starts, or leave endpoint_key_env empty for an endpoint without a key.",
    ),
    "chat.endpoint_key": (
        "{url} refused the key (HTTP {status}); answers kept: {kept}.",
        "Put a valid key into the environment variable {key_env}, restart the worker and retry.",
    ),
    "chat.endpoint_no_key": (
        "{url} wants a key (HTTP {status}); answers kept: {kept}.",
        "Name the environment variable that holds it in endpoint_key_env and retry.",
    ),
    "chat.endpoint_not_found": (
        "{url} knows no model “{model}” or is no chat endpoint (HTTP {status}); answers kept: {kept}.",
        "Check endpoint_url and endpoint_model, then retry.",
    ),
    "chat.endpoint_refused": (
        "{url} refused the request (HTTP {status}: {reason}); answers kept: {kept}.",
        "Correct what it names and retry; only missing answers are asked again.",
    ),
    "chat.endpoint_busy": (
        "{url} still says that it is asked too often (HTTP {status}) after {tries} tries; answers kept: {kept}.",
        "Lower the concurrency or wait, then retry; only missing answers are asked again.",
    ),
    "chat.endpoint_failed": (
        "{url} failed {tries} times (HTTP {status}); answers kept: {kept}.",
        "Wait until the endpoint works, then retry; only missing answers are asked again.",
    ),
    "chat.endpoint_silent": (
        "{url} gave no answer within {timeout} seconds, {tries} times; answers kept: {kept}.",
        "Raise the time-out or look at the endpoint, then retry; only missing answers are asked again.",
    ),
    "chat.endpoint_unreachable": (
        "{url} can't be reached ({reason}) after {tries} tries; answers kept: {kept}.",
        "Check the address and that the endpoint runs, then retry; only missing answers are asked again.",
    ),
    "chat.endpoint_broken": (
        "{url} broke off in the middle of an answer ({reason}), {tries} times; answers kept: {kept}.",
        "Look at the endpoint or lower the concurrency, then retry; only missing answers are asked again.",
    ),
    "chat.endpoint_garbage": (
        "{url} did not answer as an OpenAI-compatible endpoint (HTTP {status}: {reason}); answers kept: {kept}.",
        "Check that endpoint_url ends in /v1 and belongs to a chat endpoint, then retry.",
    ),
    "chat.teacher_empty": (
        "The first {count} answers of “{teacher}” were all empty.",
        "Look at its prompt and at max_new_tokens; some endpoints spend all tokens on thinking.",
    ),
    "chat.teacher_useless": (
        "None of the {count} answers of “{teacher}” is one of the labels (for example: “{example}”).",
        "Choose a tuned teacher, name the labels in the prompt with {{labels}}, or switch keep_labels_only off.",
    ),
    "chat.prompt_input": (
        "The prompt does not contain {{input}}.",
        "Write {{input}} where the text of a row belongs; {{labels}} may stand for the list of labels.",
    ),
    "chat.no_rows": (
        "“{ref}” has no rows to answer in {splits}.",
        "Choose other splits or a dataset that has rows there.",
    ),
    "chat.no_truth": (
        "No row of “{ref}” in {split} has a right answer to compare with.",
        "Choose a split with answers, usually test or validation.",
    ),
    "chat.onnx_load": (
        "ONNX Runtime GenAI can't load “{ref}”: {reason}",
        "Quantize the model again; if it stays, try method plain or precision fp32.",
    ),
    "chat.block_size": (
        "A block of {block} weights does not divide the model's hidden size of {hidden}.",
        "Choose one of: {choices}.",
    ),
    "chat.no_block_size": (
        "The model's hidden size of {hidden} is not a multiple of 32, so its weights can't be cut into blocks.",
        "Choose precision fp32.",
    ),
    "chat.untied": (
        "The tied method needs a model whose input and output embeddings are one table; this one has two.",
        "Choose method auto or plain.",
    ),
    "chat.head_size": (
        "The model's attention heads are {size} wide; ONNX Runtime GenAI needs a multiple of 16.",
        "Choose another model.",
    ),
    "chat.olive_nothing": (
        "Olive wrote no model ({reason}).",
        "Try method plain or precision fp32; the job's log holds Olive's last lines.",
    ),
    "chat.onnx_stopped": (
        "The converted model was loaded but stopped with status {status} ({reason}).",
        "Try a smaller block size, method plain or precision fp32.",
    ),
    "chat.onnx_wrong": (
        "The converted model was loaded but {reason}.",
        "Try a smaller block size, method plain or precision fp32.",
    ),
    "chat.package_template": (
        "The chat template of “{ref}” changes the text that it is given, so a script can't fill it in.",
        "Use a model whose chat template passes the text on as it is.",
    ),
    "chat.package_name": (
        "“{name}” can't be the name of a package.",
        "Use letters, digits, dots, dashes and underscores, starting with a letter or digit.",
    ),
}
