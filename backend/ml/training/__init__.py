"""The trainer, its batches, LoRA, checkpoints."""
