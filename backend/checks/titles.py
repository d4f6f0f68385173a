"""The names of all checks, of what they are measured in, and of the parts of a report."""

TITLES = {
    # parity
    "files": "Files unchanged",
    "template": "Prompt template",
    "prompt": "Prompt of the package",
    "vocabulary": "Vocabulary",
    "token_ids": "Tokens of hard texts",
    "round_trip": "Text to tokens and back",
    "special_tokens": "Begin, end and padding",
    "stop_tokens": "Stop tokens",
    "context": "Length of the context",
    "runs": "Answers without a crash",
    "runtime_tokens": "The runtime's tokenizer",
    "token_agreement": "Same tokens in answers",
    "kl_answer": "KL divergence, answers",
    "kl_prompt": "KL divergence, prompts",
    "perplexity_ratio": "Perplexity, times the original's",
    "task_loss": "Score lost",
    # checklist
    "alive": "Runs to the end",
    "answers": "Domain questions",
    "format": "Form of the answers",
    "repeatable": "Same question, same answer",
    "memory": "Growth of memory",
    "length_pace": "Slowdown for long texts",
    "length_format": "Form at all lengths",
    "edge_answered": "Unexpected texts refused",
    "edge_ended": "Unexpected texts, ends by itself",
    "edge_leaks": "Special tokens in answers",
    "edge_injection": "Foreign orders obeyed",
}
"""Of the checks of an export and of a checklist, which have sentences of their own (`gate.<name>_failed`)."""
OTHER_TITLES = {
    "quality": "Quality kept",
    "loads": "Loads in Foundry Local",
    "same prompt": "Same prompts",
    "same answers": "Same answers",
    "accuracy kept": "Accuracy kept",
}
"""Of the checks of a search and of a proof in Foundry Local."""


def title(name: str) -> str:
    """What a check is called in a report; unknown ones by their name."""
    return TITLES.get(name) or OTHER_TITLES.get(name, name)


CHECKLIST = "Quality checklist of {model}"
ALL_PASSED = "All {total} checks passed."
SOME_FAILED = "{failed} of {total} checks failed."
ABOUT = "Rows of {data} ({split}), {requests} requests one after another to the model in a process of its own."
HEADER = ("Check", "Result", "Value", "Needed", "What it means")
PASSED, FAILED = "passed", "not passed"
AT_LEAST, AT_MOST = "at least {value}", "at most {value}"
MEMORY, MEMORY_HEADER = "Memory of the process", ("Requests", "Memory")
LENGTHS, LENGTHS_HEADER = (
    "Short, medium and long texts",
    ("Length", "Tokens read", "Time for an answer", "Time per token read"),
)
LENGTH_NAMES = {"short": "short", "medium": "medium", "long": "long"}
EDGES, EDGES_HEADER = "Unexpected texts and their answers", ("Text", "Answer")

PHRASES = (
    *(CHECKLIST, ALL_PASSED, SOME_FAILED, ABOUT, *HEADER, PASSED, FAILED, AT_LEAST, AT_MOST, MEMORY, *MEMORY_HEADER),
    *(LENGTHS, *LENGTHS_HEADER, *LENGTH_NAMES.values(), EDGES, *EDGES_HEADER),
)
"""All that a report says beside its checks."""
