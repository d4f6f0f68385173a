"""Losses and trainers of the distillation methods; the teacher's probabilities on disk."""
