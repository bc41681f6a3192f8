"""Networks of seeded weights, and their outputs as the original code of a network computed them.

A golden file holds numbers only: the heatmap's logits, and the other heads' outputs at a few cells.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.architectures import Architecture, HeadSizes
from fairmot_dla34.architectures.base import Arrays
from fairmot_dla34.architectures.peaks import RawPeaks
from fairmot_dla34.config import InputSize

GOLDEN = Path(__file__).parent / "architectures" / "golden"
INPUT_SIZE = InputSize(96, 64)
SIZES = {"hrnet_18": HeadSizes(), "hrnet_32": HeadSizes(), "yolov5s": HeadSizes(embedding_size=64)}
NORM_WEIGHTS = {"hrnet_18": 0.4, "hrnet_32": 0.4, "yolov5s": 0.9}  # mean factors of norms; outputs stay near 1
CELLS = np.arange(5, 384, 17)  # of the 16 x 24 map


def seeded_arrays(architecture: Architecture) -> dict[str, NDArray[np.float32]]:
    """Generate the arrays of a checkpoint that the golden file was made with; the statistics of norms are random."""
    generator, norm_weight = np.random.default_rng(0), NORM_WEIGHTS[architecture.name]
    arrays = {}
    for name, shape in sorted(architecture.array_shapes(SIZES[architecture.name]).items()):
        if name.endswith("_variance"):
            values = generator.uniform(0.25, 1.75, shape)
        elif name.endswith("norm.weight"):
            values = norm_weight * generator.uniform(0.5, 1.5, shape)
        elif len(shape) == 1:
            values = generator.uniform(-0.3, 0.3, shape)
        else:
            values = generator.uniform(-1, 1, shape) * np.sqrt(6 / np.prod(shape[1:]))
        arrays[name] = values.astype(np.float32)
    return arrays


def seeded_image() -> NDArray[np.uint8]:
    """Generate the image of the golden files, ``(H, W, 3)`` BGR."""
    shape = (INPUT_SIZE.height, INPUT_SIZE.width, 3)
    return np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)


def golden_outputs(name: str) -> dict[str, NDArray[np.float32]]:
    """Return ``heatmap`` (16, 24), and ``size``, ``offset`` and ``embedding`` at `CELLS`, a row each."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        return dict(file)


def run_graph(architecture: Architecture, arrays: Arrays) -> RawPeaks:
    """Run the ONNX graph on the seeded image."""
    import onnxruntime

    model = architecture.build_onnx(arrays, INPUT_SIZE).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return RawPeaks(*session.run(list(architecture.output_names), {"image": seeded_image()[None]}))
