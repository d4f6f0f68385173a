"""The drawer that serves a model to other programs."""
