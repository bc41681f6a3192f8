"""The OpenVINO backend: compiled networks, the int8 network file, and the deformable operator."""
