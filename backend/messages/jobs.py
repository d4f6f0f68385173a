"""Sentences about jobs, runs and workers."""

MESSAGES: dict[str, tuple[str, str]] = {
    "jobs.unknown": ("There is no job “{ref}”.", "List the jobs with `slmops jobs list`."),
    "jobs.run_unknown": ("There is no run “{ref}”.", "List the runs with `slmops jobs list`."),
}
