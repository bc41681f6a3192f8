"""Training in PyTorch (extra `train`): network, losses, loop, validation. The rest of the package never imports it."""
