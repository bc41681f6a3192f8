"""Records of a run: metrics, curves, progress, model cards."""
