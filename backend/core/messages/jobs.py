"""Sentences about jobs, runs and workers."""

MESSAGES: dict[str, tuple[str, str]] = {
    "jobs.unknown": ("There is no job “{ref}”.", "List the jobs with `slmops jobs list`."),
    "jobs.run_unknown": ("There is no run “{ref}”.", "List the runs with `slmops jobs list`."),
    "jobs.queue_unknown": ("There is no queue “{queue}”.", "The queues are: {known}."),
    "jobs.need_unknown": (
        "Stage “{stage_id}” needs “{need}”, and this run has no such stage before it.",
        "Correct the name, or put that stage first.",
    ),
    "jobs.retry_active": (
        "Job {ref} is {state} and can't be retried.",
        "Wait for its end, or cancel it first.",
    ),
    "jobs.retry_done": ("Job {ref} has finished: there is nothing to retry.", "Start a new run to do it again."),
    "jobs.poison": (
        "The worker died {tries} times in a row while it ran this stage, so the stage was not started again.",
        "Look at the job's log, choose a smaller model or batch, then retry.",
    ),
    "jobs.killed": (
        "The process of this stage was killed {tries} times in a row ({signal}); most often the machine ran out of memory.",
        "Choose a smaller batch, a shorter maximum length or a smaller model, then retry.",
    ),
    "jobs.still_running": (
        "An earlier process of this job is still at work.",
        "Wait until it has ended (or end it), then retry.",
    ),
    "jobs.second_worker": (
        "Another worker is at work in {home}; with SQLite there can be only one.",
        "Use that one, or set SLMOPS_DB_URL to a Postgres database for more workers.",
    ),
    "jobs.worker_silent": ("The worker did not answer for {seconds} s.", "Its log is {log}."),
    "jobs.worker_failed": (
        "The worker could not be started: {reason}",
        "Its log is {log}.",
    ),
}
