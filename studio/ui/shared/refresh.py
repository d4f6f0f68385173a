"""What pages that list jobs depend on: they are drawn again as soon as a job comes, starts or ends, wherever that was asked."""

from __future__ import annotations

from collections.abc import Callable

from backend.core.schemas import JobView
from studio.ui.shared import api_cache

Fingerprint = tuple[object, ...]


@api_cache.versioned("job", "run", entries=2)
def jobs_fingerprint() -> Fingerprint:
    """Changes when the lists of jobs and runs do."""
    newest = api_cache.recent_runs(1)
    return (
        frozenset((job.id, job.state) for job in api_cache.open_jobs()),
        *((run.id, run.state) for run in newest),
    )


@api_cache.versioned("job", "run")
def project_fingerprint(project_id: str) -> Fingerprint:
    """Changes when a job of this project comes, starts, ends or goes."""
    return tuple((job.id, job.state) for run in api_cache.project_runs(project_id) for job in run.jobs)


def refresh_on_change(draw: Callable[[list[JobView]], None]) -> None:
    """Draw what concerns the open jobs of all projects again and again; the whole page anew when one comes, starts or ends."""

    def look() -> bool:
        jobs = api_cache.open_jobs()
        draw(jobs)
        return bool(jobs)

    api_cache.auto_refresh(look, busy=bool(api_cache.open_jobs()), watch=jobs_fingerprint)
