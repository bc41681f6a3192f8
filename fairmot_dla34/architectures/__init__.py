"""Network architectures: array names and shapes, ONNX graphs, and the decoding of their outputs."""
