"""Memory of a training step: estimate, check before the run, search for a batch that fits."""
