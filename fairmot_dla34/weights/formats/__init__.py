"""Readers of checkpoint files, which return arrays and run nothing."""
