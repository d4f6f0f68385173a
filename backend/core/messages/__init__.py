"""Every sentence that an error can say: code -> (what is wrong, what to do), in English, with {named} arguments.

The English text is also the gettext msgid. One module per area; a code that is defined twice is refused at import.
"""

from backend.core.messages import (
    ablation,
    answers,
    api,
    chat,
    core,
    data,
    edits,
    endpoints,
    export_checks,
    files,
    foundry,
    jobs,
    logits,
    methods,
    models,
    quant,
    recipe,
    review,
    serve,
    slots,
    students,
    synth,
    teachers,
    train,
    value,
)

MESSAGES: dict[str, tuple[str, str]] = {}
for _area in (
    *(core, value, data, files, models, train, students, quant, slots, logits, methods, ablation),
    *(chat, endpoints, synth, answers, review, edits, serve, api, jobs, recipe),
    *(export_checks, foundry, teachers),
):
    for _code, _words in _area.MESSAGES.items():
        if _code in MESSAGES:
            raise RuntimeError(f"message code {_code!r} is defined twice")
        MESSAGES[_code] = _words
