"""Did distillation pay? The form of an ablation, its run, and what it showed."""
