"""Sentences about precisions, targets and the search for a recipe."""

MESSAGES: dict[str, tuple[str, str]] = {
    "quant.fp16_cpu": (
        "FP16 is for GPUs: on a CPU it is no faster than FP32.",
        "Choose the target CUDA or DirectML, or precision INT8 or INT4.",
    ),
    "quant.data_needed": (
        "GPTQ and 8-bit layers need a dataset.",
        "Choose a dataset: training rows calibrate, validation rows find sensitive layers.",
    ),
    "quant.layers": (
        "The model has {layers} layers; {count} can't be kept in 8 bits.",
        "Choose a smaller number, or precision INT8 for all.",
    ),
    "quant.not_here": (
        "“{ref}” was built for {target} and can't run here.",
        "Run it on such a device, or quantize the model for CPU.",
    ),
    "quant.measure_stopped": (
        "Measuring failed: the process stopped with status {status} ({reason}).",
        "Read the job's log; if memory is short, use fewer rows.",
    ),
}
