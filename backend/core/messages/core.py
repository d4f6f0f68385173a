"""Sentences that any part of the studio may say."""

MESSAGES: dict[str, tuple[str, str]] = {
    "core.artifact_unknown": (
        "There is no artifact “{ref}”.",
        "List what there is with `slmops models list` or `slmops datasets list`.",
    ),
    "core.artifact_kind": ("“{ref}” is of the kind {kind}; here it takes: {wanted}.", "Choose another one."),
    "core.artifact_used": (
        "“{ref}” can't be deleted: {count} other things were made from it ({names}).",
        "Delete those first, or delete them together with --with-descendants.",
    ),
    "core.cache_busy": ("The cache is in use: jobs are open.", "Wait for their end or cancel them, then try again."),
    "core.artifact_busy": ("“{ref}” can't be deleted: job {job} is using it.", "Cancel the job or wait for its end."),
    "core.artifact_damaged": (
        "{file} in “{ref}” is missing or no longer what was stored.",
        "Make the artifact again, or restore the file from a backup.",
    ),
    "core.disk_full": (
        "The disk that holds {path} is full.",
        "Free some space (`slmops storage` shows what lies there, `slmops gc` removes what is not needed) and retry; finished "
        "work is kept.",
    ),
    "core.disk_low": (
        "About {need} of disk space is needed and {free} is free in {path}.",
        "Free some space or set SLMOPS_HOME to a larger disk.",
    ),
    "core.memory_low": (
        "About {need} of memory is needed and this machine has {have}.",
        "Choose a smaller model, a smaller batch or a shorter maximum length.",
    ),
    "core.memory_out": (
        "The process ran out of memory.",
        "Choose a smaller batch, a shorter maximum length or a smaller model, then retry.",
    ),
    "core.db_url": (
        "The database “{url}” can't be used: {reason}",
        "Set SLMOPS_DB_URL to postgresql://…, or unset it: SQLite files lie in SLMOPS_HOME.",
    ),
    "core.home_unwritable": ("{path} can't be written: {reason}", "Set SLMOPS_HOME to a folder of yours."),
    "core.value": ("{reason}", "Correct the value and try again."),
    "core.unexpected": ("Unexpected error: {reason}", "The job's log holds the details."),
    "core.run_active": ("Run “{ref}” is still at work.", "Cancel it first: `slmops jobs cancel {ref}`."),
    "core.choice_gone": ("“{ref}” is no longer here, or can't be reached from the browser.", "Choose another one."),
    "core.project_taken": ("There is a project “{name}” already.", "Choose another name."),
    "core.project_name": ("A project needs a name of 1 to 100 characters.", "Type a name."),
    "core.project_shared": (
        "The project can't be deleted: {names} of other projects were made from its data or models.",
        "Delete those first.",
    ),
    "core.project_last": ("The only project can't be deleted.", "Create another one first."),
}
