"""Metrics, measurement in a child process, parity."""
