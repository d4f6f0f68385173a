"""Documentation for those who carry on: pages of prose, and pages that `docs.generate` writes from the code."""
