"""Sentences about a teacher's answers: of no use, on trial, by batch, and personal data in what it is sent."""

from backend.core.messages.plurals import plural

MESSAGES: dict[str, tuple[str, str]] = {
    "teacher.first_useless": (
        "The first {count} answers of “{teacher}” are all unusable, mostly: {reason} ({times}). Examples: {examples}.",
        "Change the prompt, the model or “Maximum answer length” (max_new_tokens), then try 5 rows.",
    ),
    "teacher.trial_useless": (
        "{bad} of {count} trial answers of “{teacher}” are unusable, mostly: {reason} ({times}). Examples: {examples}.",
        "Change the prompt, the model or “Maximum answer length” (max_new_tokens), or set “Trial rows” to 0.",
    ),
    "teacher.trial_budget": (
        "The trial cost {spent} USD; {count} more requests cost about {expected} USD. The budget is {budget} USD.",
        "Raise the budget, or lower “Maximum rows”.",
    ),
    "teacher.many_unusable": (
        "{bad} of {count} answers of “{teacher}” were unusable, mostly: {reason} ({times}).",
        "Read them in replies.jsonl of the dataset; then change the prompt or the teacher.",
    ),
    "teacher.all_several": (
        "All {count} answers of “{teacher}” are unusable; most name several labels (for example: “{example}”).",
        "Ask for exactly one label in the prompt.",
    ),
    "teacher.all_refused": (
        "“{teacher}” declined most of {count} rows and answered none (for example: “{example}”).",
        "Reword the prompt, or choose another teacher.",
    ),
    "teacher.all_too_long": (
        "Most of {count} rows are longer than the context of “{teacher}”; none has an answer.",
        "Shorten the rows or choose a teacher with a longer context.",
    ),
    "teacher.try_endpoint": (
        "Only endpoints can be tried here.",
        "Choose an endpoint, or start with “Maximum rows” at 5.",
    ),
    "teacher.no_batch": (
        "This teacher has no batch API.",
        "Choose a saved OpenAI or Anthropic endpoint, or turn “Batch API” off.",
    ),
    "teacher.batch_failed": (
        "Batch {id} failed: {reason}. Nothing was charged for it.",
        "Fix the cause at the service, or turn “Batch API” off, then retry.",
    ),
    "teacher.batch_empty": (
        "Several batches left {count} requests unanswered; last: {id}. {reason}",
        "Retry later, or turn “Batch API” off.",
    ),
    "teacher.batch_cut": (
        "The results of batch {id} broke off {tries} times: {got} of {count} were read.",
        "Retry; the same batch is read again and not charged twice.",
    ),
    "teacher.batch_unsure": (
        "{url} did not confirm the new batch, and its list does not show it.",
        "Retry in a few minutes; the studio looks for it first.",
    ),
    "teacher.batch_too_large": ("The batch results at {url} exceed 4 GB.", "Lower “Maximum rows”."),
    "teacher.personal": (
        plural(
            "{count} row of “{ref}” contains personal data or keys, and the endpoint is remote.",
            "{count} rows of “{ref}” contain personal data or keys, and the endpoint is remote.",
        ),
        "Set “Personal data” to “Mask” or “Send”.",
    ),
    "teacher.personal_kinds": (
        plural(
            "{count} row of “{ref}” contains personal data ({found}), and the endpoint is remote.",
            "{count} rows of “{ref}” contain personal data ({found}), and the endpoint is remote.",
        ),
        "Set “Personal data” to “Mask” or “Send”.",
    ),
}
