"""Sentences about a diagnosis: `gate.diagnosis_CHECK` says that a check passed, `..._REASON` what failed it."""

from backend.core.messages.plurals import plural

NOTES = frozenset(f"gate.diagnosis_{check}" for check in ("data", "template", "rate", "capacity"))

MESSAGES: dict[str, tuple[str, str]] = {
    "diagnose.unknown": (
        "“{ref}” was not left here by fine-tuning or by distillation from answers alone.",
        "Choose a model or adapter that was; others can't be trained again to try them.",
    ),
    "diagnose.gone": ("What “{ref}” was trained from is no longer in this studio.", "Train it again, or restore it."),
    "gate.diagnosis_data": ("Nothing in the rows explains a poor result.", ""),
    "gate.diagnosis_data_few": (
        "Only {distinct} different rows: too few to learn from.",
        "Add rows on the page Data, {least} at least.",
    ),
    "gate.diagnosis_data_contradictions": (
        "{count} of {rows} rows share an input but have different answers.",
        "Correct them on the page Data, or drop them with its `drop_contradictions` fix.",
    ),
    "gate.diagnosis_data_empty": (
        "{count} of {rows} rows have an empty input or answer.",
        "Drop them on the page Data with the `drop_empty` fix.",
    ),
    "gate.diagnosis_data_duplicates": (
        "{count} of {rows} rows are copies within their split.",
        "Drop them on the page Data with the `drop_duplicates` fix.",
    ),
    "gate.diagnosis_data_no_signal": (
        "The rows do not determine the answer: a quick baseline gets {baseline}, the most common answer {majority}.",
        "Read twenty rows on the page Data and correct inputs or labels.",
    ),
    "gate.diagnosis_data_unbalanced": (
        "{share} of the answers are the same.",
        "Add rows with other answers on the page Data.",
    ),
    "gate.diagnosis_template": ("Inference reads what training read, and answers fit and end.", ""),
    "gate.diagnosis_template_differs": (
        plural(
            "{count} of {rows} rows reads otherwise at inference than in training.",
            "{count} of {rows} rows read otherwise at inference than in training.",
        ),
        "Train again on the page Fine-tune, and don't edit the model's files.",
    ),
    "gate.diagnosis_template_no_end": (
        plural(
            "{count} of {rows} answers ends without a token that stops the model.",
            "{count} of {rows} answers end without a token that stops the model.",
        ),
        "Choose a model on the page Models whose tokenizer names an end of turn.",
    ),
    "gate.diagnosis_template_dropped": (
        "{count} of {rows} answers are longer than {max_length} tokens and were left out.",
        "Raise “Maximum length”.",
    ),
    "gate.diagnosis_template_truncated": (
        "{count} of {rows} prompts are longer than {max_length} tokens and lost their beginning.",
        "Raise “Maximum length”.",
    ),
    "gate.diagnosis_template_runs_on": (
        "The model ended only {ended} of {asked} answers by itself: it learned too little.",
        "See learning rate and capacity; if both passed, raise “Epochs”.",
    ),
    "gate.diagnosis_rate": (
        "The learning rate of {rate} suits: loss {start} before, {same} after {updates} updates.",
        "",
    ),
    "gate.diagnosis_rate_high": (
        "The learning rate of {rate} is too high: {updates} updates end at {same}, with {better_rate} at {better}.",
        "Set “Learning rate” to {better_rate}.",
    ),
    "gate.diagnosis_rate_low": (
        "The learning rate of {rate} is too low: {updates} updates end at {same}, with {better_rate} at {better}.",
        "Set “Learning rate” to {better_rate}.",
    ),
    "gate.diagnosis_rate_unstable": (
        "The loss of the training jumped or rose at a learning rate of {rate}.",
        "Set “Learning rate” to {better_rate}, or raise “Gradient accumulation”.",
    ),
    "gate.diagnosis_rate_stuck": (
        "With none of three learning rates did the loss fall: {start} before, {same} after {updates} updates.",
        "See data and template first; else set “Adapted modules” to all linear layers.",
    ),
    "gate.diagnosis_capacity": ("The settings memorize {rows} rows in {needed} updates.", ""),
    "gate.diagnosis_capacity_rank": (
        "Rank {rank} does not memorize {rows} rows in {updates} updates, rank {twice} does.",
        "Set “Rank” to {twice} or more.",
    ),
    "gate.diagnosis_capacity_small": (
        "Neither rank {rank} nor {twice} memorizes {rows} rows in {updates} updates.",
        "Set “Adapted modules” to all linear layers and “Share of layers” to 1, or choose a larger model.",
    ),
    "gate.diagnosis_capacity_full": (
        "All weights together do not memorize {rows} rows in {updates} updates.",
        "Choose a larger model on the page Fine-tune.",
    ),
    "gate.diagnosis_capacity_updates": (
        "The training made {trained} updates; {rows} rows alone need {needed}.",
        "Raise “Epochs” or “Maximum steps”.",
    ),
}
