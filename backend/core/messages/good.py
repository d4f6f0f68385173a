"""Sentences about results that are there and not good: what was measured, the threshold that it did not pass, what to do.

`good.parity_NAME`: a measured check of the parity stage that failed."""

_MORE_BITS = "Try more bits, a smaller block size or another method."
_AGAIN = "Convert again; if it persists, try more bits or another method."

MESSAGES: dict[str, tuple[str, str]] = {
    "good.unusable": (
        "{value} of the answers are empty or malformed; the limit is {limit}.",
        "Train longer or on more rows; raise {setting} to accept it.",
    ),
    "good.cut_off": (
        "{value} of the answers are cut off; the limit is {limit}.",
        "Raise “Maximum answer length” (max_new_tokens), or train longer; raise {setting} to accept it.",
    ),
    "good.too_long": (
        "{value} of the rows are longer than the model's context and left out; the limit is {limit}.",
        "Shorten the rows or use a model with a longer context; raise {setting} to accept it.",
    ),
    "good.all_too_long": (
        "All {count} rows are longer than the context of “{model}” ({context} tokens).",
        "Shorten the rows or use a model with a longer context.",
    ),
    "good.numbers": (
        "All numbers are right in {value} of the answers with numbers, minimum {limit}.",
        "Check facts before use; train on more rows; lower {setting} to accept it.",
    ),
    "good.agreement": (
        "The quantized model often answers differently: {value} of samples start alike, minimum {limit}.",
        "Compare its quality with the model before; try more bits or another method.",
    ),
    "good.no_agreement": (
        "None of {total} sample answers starts like the original's: the export is damaged.",
        "Try more bits or another method; set “Minimum agreement” (min_agreement) to 0 to keep it.",
    ),
    "good.parity_token_agreement": (
        "{value} of answer tokens match the original's; the minimum is {limit}.",
        _MORE_BITS,
    ),
    "good.parity_kl_answer": (
        "KL divergence of correct answers is {value} nats; the limit is {limit}.",
        _AGAIN,
    ),
    "good.parity_kl_prompt": (
        "KL divergence of prompts is {value} nats; the limit is {limit}.",
        _AGAIN,
    ),
    "good.parity_perplexity_ratio": (
        "Perplexity is {value} times the original's; the limit is {limit}.",
        _AGAIN,
    ),
    "good.parity_task_loss": (
        "The score is {value} below the original's; the limit is {limit}.",
        "Try more bits, or evaluate all rows on the Compare page.",
    ),
    "good.diverged": (
        "The loss on validation rows is {value}; a model that knows nothing has {limit}.",
        "Lower the learning rate or choose a longer warm-up, and train again.",
    ),
    "good.checks": (
        "{count} of {total} checks failed: {failed}.",
        "See the report for figures and remedies.",
    ),
    "good.search": (
        "The best trial keeps {value} of the quality; the minimum is {limit}.",
        "Lower “Minimum quality retained”, or search more widely.",
    ),
}
