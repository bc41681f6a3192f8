"""The network: an ONNX graph from a checkpoint's arrays, and what its outputs mean."""
