"""Tables of words for what stages ask and say: the choices of their fields, and what they are doing."""

from __future__ import annotations

from functools import cache

NOTES = frozenset(
    {
        *("reading", "writing", "done", "splitting the rows", "checking the rows"),
        *("loading the teacher", "querying the teacher", "generating inputs", "querying the judge"),
        *("waiting for the batch", "checking"),
        *("analyzing rows", "reading the answers", "opening the capture"),
        *("reading rows", "loading the model", "creating the student", "measuring layers", "training", "evaluating"),
        *(
            "writing the adapter",
            "downloading",
            "uploading",
            "merging the adapter",
            "reading the model",
            "starting Olive",
            "rounding weights",
            "building the ONNX model",
        ),
        *("tying embeddings", "testing the result", "comparing with the original", "measuring"),
        *("measuring latency", "answering", "reading the correct answers"),
        "measuring the quick baseline",
        *("comparing the files", "querying the original", "sending requests", "querying the server"),
        *("testing short and long texts", "testing unexpected texts"),
        *("copying", "packaging", "querying Foundry Local"),
        *("applying the decisions", "applying the changes"),
    }
)
"""What the stages say that they are doing, beside the titles of gates and fixes."""


def is_note(note: str) -> bool:
    """Whether a stage of ours says it: it has a translation."""
    return note in NOTES or note in _titles()


@cache
def _titles() -> frozenset[str]:
    from backend.api.data_checks import FIX_TITLES, GATE_TITLES

    return frozenset({*GATE_TITLES.values(), *FIX_TITLES.values()})


JUDGING = ("judge", "judge_endpoint", "rubric", "judge_tokens")
"""Fields of a teacher that count where a judge takes the best of several answers."""
PROSE = ("rubric",)
"""Fields whose default is a text for a model: a form proposes it in the user's language."""
