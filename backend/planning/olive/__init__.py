"""Olive workflows as recipes, and the training of a run as an Olive command."""
