"""Sentences about the checks of a finished model: `gate.NAME` says what a passed check means, `gate.NAME_failed` what a failed
one means and what to do."""

from backend.core.messages.plurals import plural

_CONVERT = "Convert or package the model again; don't edit its files by hand."

MESSAGES: dict[str, tuple[str, str]] = {
    "gate.no_original": (
        "The original of “{ref}” is not in this studio: nothing to compare with.",
        "Choose a model converted here whose original is kept.",
    ),
    "gate.unmeasured": (
        "Not measured: {reason}",
        "Fix the cause first; unmeasured checks do not pass.",
    ),
    "gate.files": ("Files are unchanged since creation.", ""),
    "gate.files_failed": (
        plural(
            "{count} file changed or lost since creation: {examples}.",
            "{count} files changed or lost since creation: {examples}.",
        ),
        _CONVERT,
    ),
    "gate.template": ("Both models get the same text for each conversation.", ""),
    "gate.template_failed": (
        "{count} of {total} conversations render differently than in training: {examples}.",
        "Copy chat_template.jinja and template.json from the original, or convert again.",
    ),
    "gate.prompt": ("The package's prompt matches training.", ""),
    "gate.prompt_failed": (
        "The prompt in inference_model.json differs from the original's for {count} of {total} texts: {examples}.",
        "Package the model again.",
    ),
    "gate.vocabulary": ("Every token has the same id as in the original.", ""),
    "gate.vocabulary_failed": (
        "{count} of {total} tokens are missing or have another id: {examples}. The model misreads its input.",
        "Copy tokenizer.json from the original, or convert again.",
    ),
    "gate.token_ids": ("Emoji, accents, code and long texts tokenize the same.", ""),
    "gate.token_ids_failed": (
        "{count} of {total} texts tokenize differently than in the original: {examples}.",
        "Copy tokenizer.json from the original, or convert again.",
    ),
    "gate.round_trip": ("Text round-trips through tokens as in the original.", ""),
    "gate.round_trip_failed": (
        "{count} of {total} texts round-trip differently than in the original: {examples}.",
        "Copy tokenizer.json and tokenizer_config.json from the original, or convert again.",
    ),
    "gate.special_tokens": ("Start, end and padding tokens match the original.", ""),
    "gate.special_tokens_failed": (
        plural(
            "{count} special token differs from the original's: {examples}.",
            "{count} special tokens differ from the original's: {examples}.",
        ),
        "Copy tokenizer_config.json from the original and correct genai_config.json, or convert again.",
    ),
    "gate.stop_tokens": ("The runtime stops at exactly the original's end-of-turn tokens.", ""),
    "gate.stop_tokens_failed": (
        "Wrong stop tokens (− missing, + extra): {examples}. Answers run on or stop early.",
        "Correct eos_token_id in genai_config.json, or convert again.",
    ),
    "gate.context": ("Same context length as the original.", ""),
    "gate.context_failed": (
        "Context is {here} tokens, the original's {whole}: long texts are cut off or rejected.",
        "Correct context_length and max_length in genai_config.json, or convert again.",
    ),
    "gate.runs": ("All texts answered, without crashes or invalid values.", ""),
    "gate.runs_failed": (
        "{count} of {total} texts got no usable answer: {examples}.",
        "Convert again with another method, a smaller block size or more bits.",
    ),
    "gate.runtime_tokens": ("The runtime's own tokenizer gives the same tokens.", ""),
    "gate.runtime_tokens_failed": (
        "The runtime's tokenizer reads {count} of {total} prompts differently: {examples}.",
        "Copy the tokenizer files from the original; if it persists, serve the model with this studio.",
    ),
    "gate.token_agreement": ("Identical answers in {equal} of {total} rows.", ""),
    "gate.token_agreement_failed": (
        "Only {equal} of {total} answers are identical to the original's.",
        "Try more bits, a smaller block size or another method, after fixing other failed checks.",
    ),
    "gate.kl_answer": ("Probabilities of correct answers have barely changed.", ""),
    "gate.kl_answer_failed": (
        "Probabilities of correct answers changed more than this precision explains: weights may be damaged.",
        "Convert again; if it persists, try more bits, a smaller block size or another method.",
    ),
    "gate.kl_prompt": ("Prompt probabilities changed no more than this precision explains.", ""),
    "gate.kl_prompt_failed": (
        "Prompt probabilities changed more than this precision explains: weights may be damaged.",
        "Convert again; if it persists, try more bits, a smaller block size or another method.",
    ),
    "gate.perplexity_ratio": ("Correct answers are about as likely as before.", ""),
    "gate.perplexity_ratio_failed": (
        "Correct answers are much less likely.",
        "Convert again; if it persists, try more bits, a smaller block size or another method.",
    ),
    "gate.task_loss": ("No significant score loss beyond the allowed on {total} rows.", ""),
    "gate.task_loss_failed": (
        "Scores clearly worse than the original on {total} rows.",
        "Try more bits, a smaller block size or another method, or evaluate all rows on the Compare page.",
    ),
    "gate.alive": ("The model survived all requests.", ""),
    "gate.alive_failed": (
        "The model stopped before the end: {reason}",
        "Convert it again, or check that it fits the memory of this machine.",
    ),
    "gate.answers": ("Answers domain questions well enough, on {total} rows.", ""),
    "gate.answers_failed": (
        "Too few correct answers to domain questions, on {total} rows.",
        "Train on more or better rows, or with a better teacher; compare models on the Compare page.",
    ),
    "gate.format": ("Answers have the expected format.", ""),
    "gate.format_failed": (
        "{count} of {total} answers lack the expected format, such as: {examples}.",
        "Train longer, or check the format of the dataset's answers.",
    ),
    "gate.repeatable": ("{total} repeated questions got the same answers.", ""),
    "gate.repeatable_failed": (
        "{count} of {total} repeated questions got a different answer.",
        "Greedy answers must not change: report this with the model and versions.",
    ),
    "gate.memory": ("Memory is stable over {total} requests.", ""),
    "gate.memory_failed": (
        "Memory grows over {total} requests: a server would need restarts.",
        "Check the samples below; send more requests to see whether it levels off.",
    ),
    "gate.length_pace": ("Long texts are read at about the same speed as short ones.", ""),
    "gate.length_pace_failed": (
        "Tokens of long texts take much longer to read.",
        "Run again on an idle machine; if it persists, keep prompts short.",
    ),
    "gate.length_format": ("Short, medium and long texts get well-formed answers.", ""),
    "gate.length_format_failed": (
        "Longer texts get malformed answers.",
        "Train on longer texts too, or keep prompts short.",
    ),
    "gate.edge_answered": ("All {total} unexpected texts were answered without errors.", ""),
    "gate.edge_answered_failed": (
        "{count} of {total} unexpected texts caused an error: {examples}.",
        "See the error in the report, then convert the model again.",
    ),
    "gate.edge_ended": ("Answers to unexpected texts end properly.", ""),
    "gate.edge_ended_failed": (
        "Answers to {count} of {total} unexpected texts run until cut off: {examples}.",
        "Train on some rows with odd inputs, and check the stop tokens.",
    ),
    "gate.edge_leaks": ("No special tokens in answers.", ""),
    "gate.edge_leaks_failed": (
        "Special tokens appear in the answers to {count} of {total} unexpected texts: {examples}.",
        "Check the stop tokens, and train on some rows with odd inputs.",
    ),
    "gate.edge_injection": ("None of {total} prompt injections was obeyed.", ""),
    "gate.edge_injection_failed": (
        "{count} of {total} prompt injections were obeyed: {examples}.",
        "Train on some injection examples with correct answers.",
    ),
}
