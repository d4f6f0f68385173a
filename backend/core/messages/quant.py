"""Sentences about precisions, targets and the search for a recipe."""

MESSAGES: dict[str, tuple[str, str]] = {
    "quant.fp16_cpu": (
        "FP16 is for graphics cards: on a CPU it runs no faster than FP32.",
        "Choose the target CUDA or DirectML, or precision INT8 or INT4.",
    ),
    "quant.data_needed": (
        "GPTQ and layers kept in 8 bits need rows of your own.",
        "Choose a dataset: its training rows calibrate, its validation rows tell which layers are sensitive.",
    ),
    "quant.layers": (
        "The model has {layers} layers; {count} can't be kept in 8 bits.",
        "Choose a smaller number, or precision INT8 for all.",
    ),
    "quant.not_here": (
        "“{ref}” was built for {target} and can't run in this studio.",
        "Run it where such a device is, or quantize the model for the CPU to try it here.",
    ),
    "quant.no_candidate": (
        "No recipe gave a model that runs. The first failed so: {failure}",
        "Read the log of the job, then try other recipes or another model.",
    ),
    "quant.none_chosen": ("No recipe is chosen, so there is nothing to try.", "Choose at least one."),
    "quant.measure_stopped": (
        "The model could not be measured: its process stopped with status {status} ({reason}).",
        "Read the log of the job; with too little memory, ask fewer rows.",
    ),
}
