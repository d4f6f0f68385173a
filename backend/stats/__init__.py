"""Pure functions on numbers: intervals, bootstrap, tests, overlap of texts, log-probabilities."""
