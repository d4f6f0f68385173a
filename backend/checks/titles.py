"""The names of all checks, of what they are measured in, and of the parts of a report."""

TITLES = {
    # parity
    "files": "Files unchanged",
    "template": "Prompt template",
    "prompt": "Package prompt",
    "vocabulary": "Vocabulary",
    "token_ids": "Tokenization of edge cases",
    "round_trip": "Tokenizer round trip",
    "special_tokens": "Special tokens",
    "stop_tokens": "Stop tokens",
    "context": "Context length",
    "runs": "No crashes",
    "runtime_tokens": "Runtime tokenizer",
    "token_agreement": "Same tokens in answers",
    "kl_answer": "KL divergence, answers",
    "kl_prompt": "KL divergence, prompts",
    "perplexity_ratio": "Perplexity ratio",
    "task_loss": "Score loss",
    # checklist
    "alive": "Survives all requests",
    "answers": "Domain questions",
    "format": "Answer format",
    "repeatable": "Repeatability",
    "memory": "Memory growth",
    "length_pace": "Long-text slowdown",
    "length_format": "Answer format by length",
    "edge_answered": "Errors on unexpected texts",
    "edge_ended": "Unexpected texts, proper end",
    "edge_leaks": "Special tokens in answers",
    "edge_injection": "Prompt injections obeyed",
}
"""Of the checks of an export and of a checklist, which have sentences of their own (`gate.<name>_failed`)."""
OTHER_TITLES = {
    "quality": "Quality kept",
    "loads": "Loads in Foundry Local",
    "same prompt": "Identical prompts",
    "same answers": "Identical answers",
    "accuracy kept": "Accuracy kept",
    "diagnosis_data": "Data",
    "diagnosis_template": "Template",
    "diagnosis_rate": "Learning rate",
    "diagnosis_capacity": "Capacity",
}
"""Of the checks of a search, of a proof in Foundry Local and of a diagnosis."""
FIGURES = {
    "rows": "Rows",
    "distinct": "Different rows",
    "contradictions": "Rows with one input and several labels",
    "several_answers": "Rows with one input and several answers",
    "duplicates": "Duplicates",
    "empty": "Empty rows",
    "commonest": "Share of the most common answer",
    "rarest": "Share of the rarest answer",
    "baseline": "Quick baseline, validation rows",
    "majority": "Most common answer, validation rows",
    "compared": "Rows compared token by token",
    "differ": "Rows that differ at inference",
    "unended": "Answers without an end token",
    "dropped": "Answers too long, left out",
    "truncated": "Prompts that lost their beginning",
    "asked": "Rows the model answered",
    "ended": "Answers the model ended",
    "rate": "Learning rate",
    "start": "Loss before",
    "quarter": "Loss after, a quarter of the rate",
    "same": "Loss after, same rate",
    "fourfold": "Loss after, four times the rate",
    "curve_first": "Loss of the training, first",
    "curve_last": "Loss of the training, last",
    "memorized": "Rows to memorize",
    "memorized_loss": "Loss on rows to memorize",
    "needed": "Updates needed to memorize",
    "rank": "Rank",
    "twice_loss": "Loss with twice the rank",
    "trained": "Updates of the training",
}
"""What a diagnosis measures for its checks."""


def title(name: str) -> str:
    """What a check is called in a report; unknown ones by their name."""
    return TITLES.get(name) or OTHER_TITLES.get(name, name)


CHECKLIST = "Quality checklist: {model}"
ALL_PASSED = "All {total} checks passed."
SOME_FAILED = "{failed} of {total} checks failed."
ABOUT = "{data} ({split}), {requests} sequential requests to the model in its own process."
HEADER = ("Check", "Result", "Value", "Required value", "Meaning")
PASSED, FAILED = "passed", "not passed"
AT_LEAST, AT_MOST = "at least {value}", "at most {value}"
MEMORY, MEMORY_HEADER = "Process memory", ("Requests", "Memory")
LENGTHS, LENGTHS_HEADER = (
    "Short, medium and long texts",
    ("Length", "Tokens read", "Time per answer", "Time per token read"),
)
LENGTH_NAMES = {"short": "short", "medium": "medium", "long": "long"}
DIAGNOSIS = "Diagnosis: {model}"
DIAGNOSED = "Trained on {data}."
DOCUMENTS = {"checklist": CHECKLIST, "diagnosis": DIAGNOSIS}
"""The titles of the reports that are documents, too, by their words in facts."""
MEASURED, MEASURED_HEADER = "Figures", ("Check", "Figure", "Value")
EDGES, EDGES_HEADER = "Unexpected texts with answers", ("Text", "Answer")

PHRASES = (
    *(CHECKLIST, ALL_PASSED, SOME_FAILED, ABOUT, *HEADER, PASSED, FAILED, AT_LEAST, AT_MOST, MEMORY, *MEMORY_HEADER),
    *(DIAGNOSIS, DIAGNOSED, MEASURED, *MEASURED_HEADER, *FIGURES.values()),
    *(LENGTHS, *LENGTHS_HEADER, *LENGTH_NAMES.values(), EDGES, *EDGES_HEADER),
)
"""All that a report says beside its checks."""
