"""Checks of a finished model: does an export answer as the model that it was made from, and does a model behave."""
