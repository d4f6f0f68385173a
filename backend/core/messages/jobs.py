"""Sentences about jobs, runs and workers."""

MESSAGES: dict[str, tuple[str, str]] = {
    "jobs.unknown": ("There is no job “{ref}”.", "List the jobs with `slmops jobs list`."),
    "jobs.run_unknown": ("There is no run “{ref}”.", "List the runs with `slmops jobs list`."),
    "jobs.queue_unknown": ("There is no queue “{queue}”.", "The queues are: {known}."),
    "jobs.need_unknown": (
        "Stage “{stage_id}” needs “{need}”, which no earlier stage provides.",
        "Correct the name, or put that stage first.",
    ),
    "jobs.retry_active": (
        "Job {ref} is {state} and can't be retried.",
        "Wait for it to finish, or cancel it first.",
    ),
    "jobs.retry_done": ("Job {ref} has finished: nothing to retry.", "Start a new run to repeat it."),
    "jobs.poison": (
        "The worker crashed {tries} times in a row on this stage; not retried.",
        "Check the job's log, choose a smaller model or batch, then retry.",
    ),
    "jobs.killed": (
        "This stage was killed {tries} times in a row ({signal}), probably out of memory.",
        "Choose a smaller batch or model, or a shorter maximum length, then retry.",
    ),
    "jobs.still_running": (
        "An earlier process of this job is still running.",
        "Wait for it to end (or stop it), then retry.",
    ),
    "jobs.second_worker": (
        "Another worker is running in {home}; SQLite allows only one.",
        "Use that one, or set SLMOPS_DB_URL to a Postgres database for more workers.",
    ),
    "jobs.second_studio": (
        "Another studio is running in {home}.",
        "Use that one, stop it first, or give another --home.",
    ),
    "jobs.worker_silent": ("The worker did not respond for {seconds} s.", "Its log is {log}."),
    "jobs.worker_failed": (
        "The worker could not be started: {reason}",
        "Its log is {log}.",
    ),
}
