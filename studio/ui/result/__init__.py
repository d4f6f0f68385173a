"""The result page: what a run has gained, to be shown to others."""
