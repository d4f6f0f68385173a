"""Did distillation pay? One run trains a student in several ways at equal steps and seeds; its figures are read together."""
