"""Tables of words for what stages ask and say: the choices of their fields, and what they are doing."""

from __future__ import annotations

NOTES = frozenset(
    {
        *("reading", "writing", "done"),
        *("opening the teacher", "asking the teacher", "asking for new inputs", "asking the judge"),
        *("looking at the rows", "reading the answers", "opening the capture"),
        *("reading rows", "loading the model", "making the student", "measuring layers", "training", "evaluating"),
        *(
            "writing the adapter",
            "merging the adapter",
            "reading the model",
            "starting Olive",
            "rounding weights",
            "building the ONNX model",
        ),
        *("tying tables", "asking the result", "comparing with the original", "measuring"),
        *("measuring times, one prompt at a time", "answering", "reading the right answers"),
        *("comparing the files", "asking the original", "sending requests"),
        *("asking short and long texts", "asking unexpected texts"),
        *("copying", "packing", "asking Foundry Local"),
        *("applying the decisions",),
    }
)
"""What the stages say that they are doing."""

JUDGING = ("judge", "judge_endpoint", "rubric", "judge_tokens")
"""Fields of a teacher that count where a judge takes the best of several answers."""
PROSE = ("rubric",)
"""Fields whose default is a text for a model: a form proposes it in the user's language."""

OPTIONS: dict[tuple[str, str], dict[str, str]] = {
    ("dataset", "languages"): {"en": "English", "es": "Spanish"},
    ("dataset", "answer"): {"auto": "Automatic", "label": "Labels", "text": "Free text"},
    ("dataset", "on_bad_row"): {"stop": "Stop and name them", "skip": "Skip and count them"},
    ("dataset", "duplicates"): {"keep": "Keep all", "drop": "Keep the first"},
    ("teacher", "splits"): {"train": "Training", "pool": "Pool"},
    ("review", "unreviewed"): {"keep": "Keep", "drop": "Drop"},
    ("teacher", "combine"): {"vote": "Vote", "mix": "Mix", "best": "Best by a judge"},
    ("generate", "method"): {"examples": "From examples", "paraphrase": "Paraphrase", "evolve": "Evolve"},
    ("curate", "balance"): {"none": "None", "median": "Median"},
    ("curate", "language"): {
        **{"any": "Any", "input": "The input's", "en": "English", "es": "Spanish"},
        **{"fr": "French", "de": "German", "it": "Italian", "pt": "Portuguese"},
    },
    ("evaluate", "split"): {"train": "Training", "validation": "Validation", "test": "Test", "pool": "Pool"},
    ("parity", "split"): {"train": "Training", "validation": "Validation", "test": "Test"},
    ("checklist", "split"): {"train": "Training", "validation": "Validation", "test": "Test"},
    ("prove", "split"): {"train": "Training", "validation": "Validation", "test": "Test"},
    ("cut", "choose"): {"importance": "Measured", "even": "Evenly"},
    ("cut", "vocabulary"): {"data": "Cut to the data", "whole": "Whole"},
    ("distill", "route"): {
        "sequence": "Answers (sequence)",
        "logit": "Answers and probabilities (logit)",
        "live": "Teacher in memory (live)",
        "on_policy": "The student's own answers (on-policy)",
        "cross_tokenizer": "Teacher with other tokens (cross-tokenizer)",
        "hidden": "The teacher's layers (hidden states)",
    },
    ("distill", "rationale"): {"ignore": "Leave out", "beside": "Learn beside the answers"},
    ("finetune", "rationale"): {"ignore": "Leave out", "beside": "Learn beside the answers"},
    ("distill", "train_embeddings"): {"auto": "Automatic", "always": "Yes", "never": "No"},
    ("distill", "divergence"): {"forward_kl": "Forward KL", "reverse_kl": "Reverse KL", "jsd": "Both ways (JSD)"},
    ("distill", "schedule"): {"cosine": "Cosine", "linear": "Linear", "constant": "Constant"},
    ("finetune", "schedule"): {"cosine": "Cosine", "linear": "Linear", "constant": "Constant"},
    ("distill", "targets"): {"all-linear": "All linear layers"},
    ("finetune", "targets"): {"all-linear": "All linear layers"},
    ("quantize", "precision"): {
        "int4": "INT4, 4 bits",
        "int8": "INT8, 8 bits",
        "fp16": "FP16, 16 bits",
        "fp32": "FP32, unchanged",
    },
    ("quantize", "target"): {"cpu": "CPU", "cuda": "CUDA (NVIDIA)", "directml": "DirectML (Windows)"},
    ("quantize", "method"): {"auto": "Automatic", "tied": "Table in few bits", "plain": "Table unchanged"},
    ("quantize", "rounding"): {"rtn": "To the nearest (RTN)", "kquant": "k-quant", "gptq": "GPTQ"},
    ("search", "recipes"): {
        "rtn-64": "INT4 RTN, blocks of 64",
        "rtn-32": "INT4 RTN, blocks of 32",
        "kquant-64": "INT4 k-quant, blocks of 64",
        "kquant-32": "INT4 k-quant, blocks of 32",
        "kquant-32-head8": "INT4 k-quant, blocks of 32, head in 8 bits",
        "kquant-64-exact": "INT4 k-quant, sensitive layers in 8 bits",
        "gptq-64": "INT4 GPTQ, blocks of 64",
        "int8": "INT8 RTN, blocks of 64",
    },
}
"""Words for the choices of a stage's field, where the value itself is a code."""
