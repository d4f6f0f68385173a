"""Queue, runs, logs and curves."""
