"""Sentences that any part of the studio may say."""

MESSAGES: dict[str, tuple[str, str]] = {
    "core.artifact_unknown": (
        "There is no artifact “{ref}”.",
        "List them with `slmops models list` or `slmops datasets list`.",
    ),
    "core.artifact_ambiguous": (
        "“{ref}” is the name of {count} things: {ids}.",
        "Use the id of the one you mean.",
    ),
    "core.artifact_kind": ("“{ref}” is a {kind}; expected: {wanted}.", "Choose another one."),
    "core.artifact_used": (
        "“{ref}” can't be deleted: {count} artifacts depend on it ({names}).",
        "Delete those first, or use --with-descendants.",
    ),
    "core.cache_busy": (
        "The cache is in use: jobs are running or queued.",
        "Wait for them to finish or cancel them, then retry.",
    ),
    "core.artifact_busy": (
        "“{ref}” can't be deleted: job {job} is using it.",
        "Cancel the job or wait for it to finish.",
    ),
    "core.artifact_damaged": (
        "{file} in “{ref}” is missing or was changed.",
        "Recreate the artifact, or restore the file from a backup.",
    ),
    "core.disk_full": (
        "The disk with {path} is full.",
        "Free some space (see `slmops storage`, `slmops gc`) and retry; finished work is kept.",
    ),
    "core.disk_low": (
        "About {need} of disk space is needed; {path} has {free} free.",
        "Free some space or set SLMOPS_HOME to a larger disk.",
    ),
    "core.memory_low": (
        "About {need} of memory is needed; this machine has {have}.",
        "Choose a smaller model or batch, or a shorter maximum length.",
    ),
    "core.memory_out": (
        "The process ran out of memory.",
        "Choose a smaller batch or model, or a shorter maximum length, then retry.",
    ),
    "core.db_url": (
        "The database “{url}” can't be used: {reason}",
        "Set SLMOPS_DB_URL to postgresql://…, or unset it to use SQLite in SLMOPS_HOME.",
    ),
    "core.home_unwritable": ("{path} can't be written: {reason}", "Set SLMOPS_HOME to a folder you can write to."),
    "core.no_home": (
        "There is no home folder for “{path}”.",
        "Write the whole path, or ./ before a file of that name.",
    ),
    "core.no_user_folder": (
        "This user has no home folder, so there is no place for data.",
        "Set SLMOPS_HOME to a folder you can write to.",
    ),
    "core.folder_gone": ("The folder you are in was deleted.", "Change to another one (`cd`) and try again."),
    "core.file_denied": ("{path} can't be used: {reason}", "Check its permissions, or choose another place."),
    "core.db_newer": (
        "The database {file} was made by a newer version of SLMOps Studio ({revision}).",
        "Update SLMOps Studio, or set SLMOPS_HOME to another folder.",
    ),
    "core.db_locked": (
        "The database {file} is locked by another program.",
        "Close what else uses it (a backup, a database browser), then retry.",
    ),
    "core.db_damaged": (
        "The database {file} is damaged: {reason}.",
        "Stop the studio; put a backup in its place, or move the file away.",
    ),
    "core.db_damaged_backup": (
        "The database {file} is damaged: {reason}.",
        "Stop the studio and put {backup} in its place.",
    ),
    "core.db_read_only": (
        "The database {file} can't be written.",
        "Check the permissions of the file and its folder, then retry.",
    ),
    "core.value": ("{reason}", "Correct the value and try again."),
    "core.unexpected": ("Unexpected error: {reason}", "See the job's log for details."),
    "core.run_active": ("Run “{ref}” is still running.", "Cancel it first: `slmops jobs cancel {ref}`."),
    "core.choice_gone": ("“{ref}” is gone or not accessible from the browser.", "Choose another one."),
    "core.project_taken": ("A project “{name}” already exists.", "Choose another name."),
    "core.project_name": ("A project needs a name of 1 to 100 characters.", "Enter a name."),
    "core.project_shared": (
        "The project can't be deleted: {names} in other projects depend on it.",
        "Delete those first.",
    ),
    "core.project_last": ("You can't delete the only project.", "Create another one first."),
}
