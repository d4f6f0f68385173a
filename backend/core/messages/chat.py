"""Sentences about engines, endpoints, teacher answers, evaluation, quantization and packages."""

MESSAGES: dict[str, tuple[str, str]] = {
    "chat.one_teacher": (
        "Choose either a local model or an endpoint.",
        "Set exactly one: model, saved endpoint, or endpoint_url with endpoint_model.",
    ),
    "chat.endpoint_url": (
        "“{url}” is not a valid endpoint address.",
        "Use http(s)://host/v1 without user name, password or query.",
    ),
    "chat.endpoint_key_name": (
        "{name} can't be sent to an endpoint as a key.",
        "Use a variable name ending in API_KEY, such as OPENAI_API_KEY.",
    ),
    "chat.endpoint_model_missing": ("The endpoint needs a model name.", "Fill in “Endpoint model” (endpoint_model)."),
    "chat.endpoint_key_missing": (
        "The environment variable {key_env} is not set for {url}.",
        "Set it before the worker starts, or leave “Key variable” (endpoint_key_env) blank if no key is needed.",
    ),
    "chat.endpoint_key": (
        "{url} refused the key (HTTP {status}: {reason}); answers kept: {kept}.",
        "Set {key_env} to a valid key, restart the worker and retry.",
    ),
    "chat.endpoint_no_key": (
        "{url} requires a key (HTTP {status}: {reason}); answers kept: {kept}.",
        "Set “Key variable” (endpoint_key_env) to the variable with the key and retry.",
    ),
    "chat.endpoint_not_found": (
        "{url} has no model “{model}” or is not a chat endpoint (HTTP {status}: {reason}); answers kept: {kept}.",
        "Check “Endpoint address” and “Endpoint model”, then retry.",
    ),
    "chat.endpoint_refused": (
        "{url} refused the request (HTTP {status}: {reason}); answers kept: {kept}.",
        "Fix the cause and retry; only missing answers are requested.",
    ),
    "chat.endpoint_busy": (
        "{url} still rate-limits requests (HTTP {status}: {reason}) after {tries} tries; answers kept: {kept}.",
        "Lower “Concurrent requests” or wait, then retry; only missing answers are requested.",
    ),
    "chat.endpoint_failed": (
        "{url} failed {tries} times (HTTP {status}: {reason}); answers kept: {kept}.",
        "Retry once the endpoint works; only missing answers are requested.",
    ),
    "chat.endpoint_silent": (
        "{url} gave no answer within {timeout} seconds, {tries} times; answers kept: {kept}.",
        "Raise the timeout or check the endpoint, then retry; only missing answers are requested.",
    ),
    "chat.endpoint_unreachable": (
        "{url} can't be reached ({reason}) after {tries} tries; answers kept: {kept}.",
        "Check the address and that the endpoint is running, then retry; only missing answers are requested.",
    ),
    "chat.endpoint_broken": (
        "{url} disconnected mid-answer ({reason}), {tries} times; answers kept: {kept}.",
        "Check the endpoint or lower “Concurrent requests”, then retry; only missing answers are requested.",
    ),
    "chat.endpoint_garbage": (
        "{url} did not answer as an OpenAI-compatible endpoint (HTTP {status}: {reason}); answers kept: {kept}.",
        "Check that the endpoint's address ends in /v1 and belongs to a chat endpoint, then retry.",
    ),
    "chat.teacher_empty": (
        "The first {count} answers of “{teacher}” were all empty.",
        "Check its prompt and “Maximum answer length” (max_new_tokens); some endpoints spend all tokens on reasoning.",
    ),
    "chat.teacher_useless": (
        "None of the {count} answers of “{teacher}” is a valid label (for example: “{example}”).",
        "Choose a fine-tuned teacher, add {{labels}} to the prompt, or turn “Drop invalid labels” off.",
    ),
    "chat.prompt_input": (
        "The prompt does not contain {{input}}.",
        "Add {{input}} where the row's text goes; {{labels}} inserts the list of labels.",
    ),
    "chat.no_rows": (
        "“{ref}” has no rows to answer in {splits}.",
        "Choose other splits or a dataset that has rows there.",
    ),
    "chat.no_truth": (
        "“{ref}” has no labelled rows in {split}.",
        "Choose a split with answers, usually test or validation.",
    ),
    "chat.onnx_load": (
        "ONNX Runtime GenAI can't load “{ref}”: {reason}",
        "Quantize again; if it persists, set “Tie embeddings” to “No”, or try FP32.",
    ),
    "chat.block_size": (
        "Block size {block} does not divide all of the model's matrices (widths: {sizes}).",
        "Choose one of: {choices}.",
    ),
    "chat.no_block_size": (
        "The model has matrices whose width is no multiple of 32 ({sizes}), so it can't be quantized.",
        "Choose precision FP32.",
    ),
    "chat.untied": (
        "“Tie embeddings” needs shared input and output embeddings; this model's are separate.",
        "Set it to “Automatic” or “No” (auto, never).",
    ),
    "chat.head_size": (
        "The model's attention heads are {size} wide; ONNX Runtime GenAI needs a multiple of 16.",
        "Choose another model.",
    ),
    "chat.olive_nothing": (
        "Olive produced no model ({reason}).",
        "Set “Tie embeddings” to “No”, or try FP32; see Olive's output in the job's log.",
    ),
    "chat.onnx_stopped": (
        "The converted model loaded but stopped with status {status} ({reason}).",
        "Try a smaller block size or FP32, or set “Tie embeddings” to “No”.",
    ),
    "chat.onnx_wrong": (
        "The converted model loads but {reason}.",
        "Try a smaller block size or FP32, or set “Tie embeddings” to “No”.",
    ),
    "chat.package_template": (
        "The chat template of “{ref}” alters its input, so a script can't fill it in.",
        "Use a model whose chat template keeps text unchanged.",
    ),
    "chat.package_name": (
        "“{name}” is not a valid package name.",
        "Use letters, digits, dots, dashes and underscores, starting with a letter or digit.",
    ),
}
