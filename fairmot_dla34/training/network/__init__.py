"""A FairMOT network in PyTorch: layers, deformable convolution, norms, initial numbers."""
