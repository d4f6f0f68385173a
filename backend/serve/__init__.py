"""Models that chat: one light host beside the web process, and one process for each model that is loaded."""
