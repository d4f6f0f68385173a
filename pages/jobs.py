"""Jobs: `/jobs`, one of them by `/jobs?job=<id>`."""

from studio.ui.jobs import jobs_page

jobs_page()
