"""Rows, templates and tokens: what a dataset is on disk and how a model sees it. No torch."""
