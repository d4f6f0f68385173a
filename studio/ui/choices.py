"""Tables of words for what stages ask and say: the choices of their fields, and what they are doing."""

from __future__ import annotations

NOTES = frozenset(
    {
        *("reading", "writing", "done"),
        *("opening the teacher", "asking the teacher", "asking for new inputs", "asking the judge"),
        *("looking at the rows", "reading the answers", "opening the capture"),
        *("reading rows", "loading the model", "making the student", "measuring layers", "training", "evaluating"),
        *("merging the adapter", "reading the model", "starting Olive", "rounding weights", "building the ONNX model"),
        *("tying tables", "asking the result", "comparing with the original"),
        *("measuring times, one prompt at a time", "answering", "reading the right answers"),
        *("copying", "packing"),
        *("applying the decisions",),
    }
)
"""What the stages say that they are doing."""

OPTIONS: dict[tuple[str, str], dict[str, str]] = {
    ("dataset", "languages"): {"en": "English", "es": "Spanish"},
    ("dataset", "answer"): {"auto": "Automatic", "label": "Labels", "text": "Free text"},
    ("dataset", "on_bad_row"): {"stop": "Stop and name them", "skip": "Skip and count them"},
    ("dataset", "duplicates"): {"keep": "Keep all", "drop": "Keep the first"},
    ("teacher", "splits"): {"train": "Training", "pool": "Pool"},
    ("review", "unreviewed"): {"keep": "Keep", "drop": "Drop"},
    ("teacher", "combine"): {"vote": "Vote", "mix": "Mix"},
    ("generate", "method"): {"examples": "From examples", "paraphrase": "Paraphrase", "evolve": "Evolve"},
    ("curate", "balance"): {"none": "None", "median": "Median"},
    ("evaluate", "split"): {"train": "Training", "validation": "Validation", "test": "Test", "pool": "Pool"},
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
    ("distill", "train_embeddings"): {"auto": "Automatic", "always": "Yes", "never": "No"},
    ("distill", "divergence"): {"forward_kl": "Forward KL", "reverse_kl": "Reverse KL", "jsd": "Both ways (JSD)"},
    ("distill", "schedule"): {"cosine": "Cosine", "linear": "Linear", "constant": "Constant"},
    ("finetune", "schedule"): {"cosine": "Cosine", "linear": "Linear", "constant": "Constant"},
    ("finetune", "targets"): {"all-linear": "All linear layers"},
    ("quantize", "precision"): {"int4": "INT4, 4 bits", "fp32": "FP32, unchanged"},
    ("quantize", "method"): {"auto": "Automatic", "tied": "Table in 4 bits", "plain": "Table unchanged"},
}
"""Words for the choices of a stage's field, where the value itself is a code."""
