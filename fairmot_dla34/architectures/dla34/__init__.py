"""FairMOT with a DLA-34 backbone, as PaddleDetection defines it."""
