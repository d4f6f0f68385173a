"""Jobs: `/jobs`, one of them by `/jobs?job=<id>`."""

from studio.ui.jobs.page import jobs_page

jobs_page()
