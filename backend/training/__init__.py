"""What every training has in common, without torch: parameters, checks, estimates, distillation methods."""
