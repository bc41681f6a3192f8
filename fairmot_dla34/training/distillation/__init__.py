"""Distillation: a frozen teacher network gives the targets of the student network, with labels or without."""
