"""Sentences about the checks of a finished model: `gate.NAME` says what a passed check means, `gate.NAME_failed` what a failed
one means and what to do."""

from backend.core.messages.plurals import plural

_CONVERT = "Convert or package the model again from its original; don't edit files of the result by hand."

MESSAGES: dict[str, tuple[str, str]] = {
    "gate.no_original": (
        "The model that “{ref}” was made from is not in this studio, so there is nothing to compare with.",
        "Choose a model that was converted here, and keep its original.",
    ),
    "gate.unmeasured": (
        "This could not be measured: {reason}",
        "First mend what stopped it; what can't be measured does not count as good.",
    ),
    "gate.files": ("The files are those that were written when it was made.", ""),
    "gate.files_failed": (
        plural(
            "{count} file was changed or lost after it was made: {examples}.",
            "{count} files were changed or lost after it was made: {examples}.",
        ),
        _CONVERT,
    ),
    "gate.template": ("Both models see the same text for the same conversation.", ""),
    "gate.template_failed": (
        "{count} of {total} conversations become another text than the original was trained on: {examples}.",
        "Copy chat_template.jinja and template.json from the original, or convert again.",
    ),
    "gate.prompt": ("The package's prompt is the one that the model was trained with.", ""),
    "gate.prompt_failed": (
        "The prompt in inference_model.json differs from the original's for {count} of {total} texts: {examples}.",
        "Package the model again.",
    ),
    "gate.vocabulary": ("Every token has the same number as in the original.", ""),
    "gate.vocabulary_failed": (
        "{count} of {total} tokens are missing or have another number: {examples}. The model reads other words than it gets.",
        "Copy tokenizer.json from the original, or convert again.",
    ),
    "gate.token_ids": ("Emoji, accents, code and long texts become the same tokens.", ""),
    "gate.token_ids_failed": (
        "{count} of {total} texts become other tokens than in the original: {examples}.",
        "Copy tokenizer.json from the original, or convert again.",
    ),
    "gate.round_trip": ("Text turned into tokens and back is what it is in the original.", ""),
    "gate.round_trip_failed": (
        "{count} of {total} texts come back from their tokens otherwise than in the original: {examples}.",
        "Copy tokenizer.json and tokenizer_config.json from the original, or convert again.",
    ),
    "gate.special_tokens": ("Begin, end and padding are the original's.", ""),
    "gate.special_tokens_failed": (
        plural(
            "{count} special token differs from the original's: {examples}.",
            "{count} special tokens differ from the original's: {examples}.",
        ),
        "Copy tokenizer_config.json from the original and correct genai_config.json, or convert again.",
    ),
    "gate.stop_tokens": ("The runtime stops at all of the original's ends of turn, and at no others.", ""),
    "gate.stop_tokens_failed": (
        "The runtime's stop tokens are wrong (− missing, + too many): {examples}. Answers run on or break off.",
        "Correct eos_token_id in genai_config.json, or convert again.",
    ),
    "gate.context": ("It reads as long a text as its original.", ""),
    "gate.context_failed": (
        "It reads {here} tokens, its original {whole}: long texts are cut off or refused.",
        "Correct context_length and max_length in genai_config.json, or convert again.",
    ),
    "gate.runs": ("Every text was answered, without a crash and with values that are numbers.", ""),
    "gate.runs_failed": (
        "{count} of {total} texts got no usable answer: {examples}.",
        "Convert again with another method, a smaller block size or more bits.",
    ),
    "gate.runtime_tokens": ("The runtime's own tokenizer, which the package's script uses, gives the same tokens.", ""),
    "gate.runtime_tokens_failed": (
        "The runtime's own tokenizer reads {count} of {total} prompts otherwise: {examples}.",
        "Copy the tokenizer's files from the original; if it stays, serve the model with this studio.",
    ),
    "gate.token_agreement": ("Word for word the same answer in {equal} of {total} rows.", ""),
    "gate.token_agreement_failed": (
        "Only {equal} of {total} answers are word for word the original's.",
        "Try more bits, a smaller block size or another method; if other checks fail too, mend these first.",
    ),
    "gate.kl_answer": ("The probabilities of the right answers have hardly moved.", ""),
    "gate.kl_answer_failed": (
        "The probabilities of the right answers have moved more than this precision explains: weights may be damaged.",
        "Convert again; if it stays, try more bits, a smaller block size or another method.",
    ),
    "gate.kl_prompt": ("While it reads, its probabilities have moved no more than this precision explains.", ""),
    "gate.kl_prompt_failed": (
        "While it reads, its probabilities have moved more than this precision explains: weights may be damaged.",
        "Convert again; if it stays, try more bits, a smaller block size or another method.",
    ),
    "gate.perplexity_ratio": ("The right answers are about as likely as before.", ""),
    "gate.perplexity_ratio_failed": (
        "The right answers have become much less likely.",
        "Convert again; if it stays, try more bits, a smaller block size or another method.",
    ),
    "gate.task_loss": ("On {total} rows no loss of score shows that is larger than allowed and more than chance.", ""),
    "gate.task_loss_failed": (
        "On {total} rows it scores clearly worse than its original.",
        "Try more bits, a smaller block size or another method, or measure all rows on the page Compare.",
    ),
    "gate.alive": ("The process of the model lived through all requests.", ""),
    "gate.alive_failed": (
        "The model stopped before the end: {reason}",
        "Convert it again, or check that it fits the memory of this machine.",
    ),
    "gate.answers": ("It answers questions of its field well enough, on {total} rows.", ""),
    "gate.answers_failed": (
        "It answers too few questions of its field rightly, on {total} rows.",
        "Train on more or better rows, or with a better teacher; compare models on the page Compare.",
    ),
    "gate.format": ("Answers keep to the form that was asked for.", ""),
    "gate.format_failed": (
        "{count} of {total} answers are not in the form that was asked for, such as: {examples}.",
        "Train longer, or check that the dataset's own answers all have that form.",
    ),
    "gate.repeatable": ("The same question got the same answer each time, {total} times.", ""),
    "gate.repeatable_failed": (
        "{count} of {total} repeated questions got another answer than at first.",
        "Greedy answers must not change: report it with the model and the versions of this studio.",
    ),
    "gate.memory": ("The memory stays level over {total} requests.", ""),
    "gate.memory_failed": (
        "The memory grows over {total} requests: a server would have to be restarted now and then.",
        "Look at the samples below; send more requests to see whether it levels off.",
    ),
    "gate.length_pace": ("Long texts are read at about the pace of short ones.", ""),
    "gate.length_pace_failed": (
        "A token of a long text takes much longer to read than one of a short text.",
        "Run it again on a quiet machine; if it stays, keep prompts short.",
    ),
    "gate.length_format": ("Short, medium and long texts get answers in the right form.", ""),
    "gate.length_format_failed": (
        "Longer texts get answers that are not in the right form.",
        "Train on longer texts too, or keep prompts short.",
    ),
    "gate.edge_answered": ("All {total} unexpected texts were answered, none broke anything.", ""),
    "gate.edge_answered_failed": (
        "{count} of {total} unexpected texts were answered with an error: {examples}.",
        "Look at the report for the error, and convert the model again.",
    ),
    "gate.edge_ended": ("Answers to unexpected texts end by themselves.", ""),
    "gate.edge_ended_failed": (
        "Answers to {count} of {total} unexpected texts run on until they are cut off: {examples}.",
        "Train on some rows with odd inputs, and check the stop tokens.",
    ),
    "gate.edge_leaks": ("No special token stands in an answer.", ""),
    "gate.edge_leaks_failed": (
        "Special tokens stand in the answers to {count} of {total} unexpected texts: {examples}.",
        "Check the stop tokens, and train on some rows with odd inputs.",
    ),
    "gate.edge_injection": ("None of {total} texts that try to take over was obeyed.", ""),
    "gate.edge_injection_failed": (
        "{count} of {total} texts that try to take over were obeyed: {examples}.",
        "Train on some rows with such texts and their right answers.",
    ),
}
