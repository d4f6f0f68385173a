"""Every sentence that an error can say: code -> (what is wrong, what to do), in English, with {named} arguments.

The English text is also the gettext msgid. One module per area; a code that is defined twice is refused at import.
"""

from backend.messages import (
    ablation,
    api,
    chat,
    core,
    data,
    endpoints,
    files,
    jobs,
    logits,
    models,
    recipe,
    review,
    serve,
    students,
    synth,
    train,
    value,
)

MESSAGES: dict[str, tuple[str, str]] = {}
for _area in (
    *(core, value, data, files, models, train, students, logits, ablation),
    *(chat, endpoints, synth, review, serve, api, jobs, recipe),
):
    for _code, _words in _area.MESSAGES.items():
        if _code in MESSAGES:
            raise RuntimeError(f"message code {_code!r} is defined twice")
        MESSAGES[_code] = _words
