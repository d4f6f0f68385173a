"""Every sentence that an error can say: code -> (what is wrong, what to do), in English, with {named} arguments.

The English text is also the gettext msgid. One module per area; a code that is defined twice is refused at import.
"""

from backend.core.messages import (
    ablation,
    adapters,
    answers,
    api,
    architectures,
    baseline,
    chat,
    conversation,
    core,
    curves,
    data,
    devices,
    edits,
    endpoints,
    export_checks,
    files,
    foundry,
    gates,
    good,
    guide,
    hub,
    inspection,
    jobs,
    keys,
    logits,
    mapping,
    methods,
    models,
    notify,
    olive,
    projects,
    prompts,
    quant,
    reading,
    recipe,
    review,
    samples,
    search,
    serve,
    slots,
    sources,
    split,
    students,
    synth,
    teacher_answers,
    teachers,
    tools,
    train,
    trash,
    value,
    weights,
    wire,
)

MESSAGES: dict[str, tuple[str, str]] = {}
for _area in (
    *(
        conversation,
        core,
        curves,
        value,
        weights,
        adapters,
        data,
        sources,
        inspection,
        samples,
        search,
        reading,
        mapping,
        split,
        baseline,
        files,
        models,
        train,
        students,
    ),
    *(architectures, quant, slots, logits, methods, ablation),
    *(chat, endpoints, keys, synth, answers, review, edits, serve, api, jobs, recipe),
    *(
        devices,
        export_checks,
        foundry,
        teachers,
        teacher_answers,
        tools,
        gates,
        prompts,
        projects,
        notify,
        olive,
        trash,
        guide,
        wire,
        good,
        hub,
    ),
):
    for _code, _words in _area.MESSAGES.items():
        if _code in MESSAGES:
            raise RuntimeError(f"message code {_code!r} is defined twice")
        MESSAGES[_code] = _words

NOTES: frozenset[str] = frozenset().union(
    *(area.NOTES for area in (reading, sources, mapping, inspection, samples, gates, prompts, baseline))
)
"""Codes that only say what was taken: nobody has to do anything about them, unless it is wrong."""
