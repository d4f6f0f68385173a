"""The durable queue: JobService (the only door), worker (supervises), child (one process per stage)."""
