"""Sentences about memory that is short or scarce, on graphics cards or beside them, and about training in several processes."""

MESSAGES: dict[str, tuple[str, str]] = {
    "core.memory_tight": (
        "About {need} of memory is needed; this machine has {have}, so it only just fits.",
        "Close other programs, or take less.",
    ),
    "core.vram_low": (
        "About {need} of memory is needed on the graphics card; it has {have}.",
        "Choose a smaller model or batch, or a shorter maximum length.",
    ),
    "core.vram_tight": (
        "About {need} of memory is needed on the graphics card; it has {have}, so it only just fits.",
        "End what else uses the card, or take less.",
    ),
    "train.rank_died": (
        "Process {rank} of {ranks} of this training ended unexpectedly ({signal}).",
        "See the log, then retry: it goes on from the last checkpoint.",
    ),
    "train.processes_batch": (
        "{ranks} processes can't share a batch of {batch} evenly.",
        "Choose a batch size that is a multiple of {ranks}, or set SLMOPS_PROCESSES.",
    ),
    "train.shared": (
        "{ranks} processes share each batch (SLMOPS_PROCESSES).",
        "Expect less than the estimated time, which is that of one process.",
    ),
    "train.one_process": (
        "This training runs in one process, whatever SLMOPS_PROCESSES says.",
        "Several share fine-tuning, and distillation by answers or logits.",
    ),
    "fits.batch": (
        "A batch of {value} with more gradient accumulation learns the same in about {need}.",
        "Lower the batch size and raise the accumulation as much.",
    ),
    "fits.checkpointing": ("Gradient checkpointing needs about {need}.", "Turn it on; it takes about twice as long."),
    "fits.lora": ("LoRA needs about {need}.", "Choose LoRA as the method."),
    "fits.adapter": ("An adapter needs about {need}.", "Train an adapter (LoRA)."),
    "fits.qlora": ("QLoRA needs about {need}.", "Turn on QLoRA."),
    "fits.shorter": ("A maximum length of {value} needs about {need}.", "Lower it if your rows are shorter."),
    "fits.together": (
        "No single change is enough; all together need about {need}.",
        "Take a small batch, gradient checkpointing, QLoRA or an adapter, and shorter rows.",
    ),
}
