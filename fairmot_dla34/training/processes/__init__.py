"""The processes of a run: one, or those that ``torchrun`` starts."""
