"""Self-check: a network of random weights on a generated image must give the peaks that PaddleDetection gives.

It needs no download and shows whether the installed runtime computes the network correctly, deformable convolutions
that sample beyond the border included.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..architectures import Architecture, Checkpoint, HeadSizes, Network
from ..architectures.dla34 import DLA34
from ..config import InputSize
from ..values import Peaks
from .base import BackendOptions
from .registry import create_backend

INPUT_SIZE = InputSize(256, 160)
TOLERANCE = 5e-3  # of scores and of boxes in network px; random weights magnify the rounding of a runtime
# The five best peaks of PaddleDetection 2.6.0 on PaddlePaddle 3.3.1, fp32: score, then xyxy in network px.
KNOWN_ANSWER: NDArray[np.float32] = np.array(
    [
        [0.9582, 134.5422, 92.3412, 136.4285, 95.8789],
        [0.9546, 164.4088, 112.5127, 168.3023, 116.5637],
        [0.9477, 207.9221, 106.1338, 206.0591, 110.5471],
        [0.9457, 207.3753, 97.0341, 207.1739, 101.3385],
        [0.9442, 158.7954, 72.2051, 159.2937, 74.8915],
    ],
    np.float32,
)


def run_selfcheck(backend: str = "auto") -> float:
    """Run the self-check on a backend.

    Args:
        backend: A backend's name, or ``auto``; see `create_backend`.

    Returns:
        The largest difference from the known answer over scores and boxes (network px). A correct runtime stays below
        `TOLERANCE`.

    Raises:
        BackendError: One of its kinds; see `fairmot_dla34.errors`.
    """
    network = Network(random_checkpoint(), INPUT_SIZE)
    with create_backend(backend, network, BackendOptions("fp32", keep_compiled=False)) as loaded:
        peaks = loaded.infer(selfcheck_image())
    return float(np.abs(best_peaks(peaks) - KNOWN_ANSWER).max())


def best_peaks(peaks: Peaks) -> NDArray[np.float32]:
    """Return ``(5, 5)``: score and box of the five best peaks."""
    return np.column_stack([peaks.scores, peaks.boxes])[:5]


def random_checkpoint(
    seed: int = 0, offset_scale: float = 3.0, architecture: Architecture = DLA34, sizes: HeadSizes | None = None
) -> Checkpoint:
    """Generate a checkpoint: He-scaled convolutions, and offsets of a few cells for the deformable ones.

    Args:
        seed: Seed; equal seeds give equal arrays.
        offset_scale: Rough size of the deformable offsets in cells.
        architecture: Architecture of the network.
        sizes: Classes, embedding size and channels of the size head; None: the usual ones.
    """
    generator = np.random.default_rng(seed)
    arrays = {}
    for name, shape in sorted(architecture.array_shapes(sizes or HeadSizes()).items()):
        if name.endswith("norm.weight"):
            # Residual sums double a signal's variance, the mask of a deformable convolution halves its size.
            values = np.full(shape, 2.0 if ".neck." in name else 0.7)
        elif name.endswith("_variance"):
            values = np.ones(shape)
        elif len(shape) == 1:
            values = generator.uniform(-0.1, 0.1, shape)
        else:
            scale = np.sqrt(2 / np.prod(shape[1:]))
            values = generator.uniform(-1.7, 1.7, shape) * (scale * offset_scale if "conv_offset" in name else scale)
        arrays[name] = values.astype(np.float32)
    return Checkpoint(architecture, arrays, "the random checkpoint")


def selfcheck_image() -> NDArray[np.uint8]:
    """Generate an image of `INPUT_SIZE`: a texture from integer arithmetic, equal on every machine."""
    y, x = np.mgrid[: INPUT_SIZE.height, : INPUT_SIZE.width]
    channels = [(x * 3 + y * 5) % 256, (x * y // 7) % 256, (x * x // 11 + y * 2) % 256]
    return np.stack(channels, axis=2).astype(np.uint8)
