"""The first page: what runs, what comes next, the demo."""
