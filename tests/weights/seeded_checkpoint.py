"""Arrays of random numbers with ifzhang's names, and a test image; every number follows from its array's name."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34 import InputSize

INPUT_SIZE = InputSize(256, 192)
MAX_OFFSET = 4.0  # cells; the deformable offsets depend on the image in part, so that rounding is not magnified


def seeded_arrays(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Return an array for each name: convolutions scaled to keep the size of signals, norms with random statistics."""
    return {name: _seeded(name, shape).astype(np.float32) for name, shape in shapes.items()}


def _seeded(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        return generator.uniform(0.5, 2.0, shape)
    if name.endswith("running_mean"):
        return generator.uniform(-0.3, 0.3, shape)
    if len(shape) == 1 and name.endswith("weight"):  # of a norm; a deformable convolution halves its input
        return generator.uniform(0.8, 1.2, shape) * (2.0 if ".actf." in name else 0.8)
    if len(shape) == 1:
        return generator.uniform(-1, 1, shape) * (MAX_OFFSET if "conv_offset" in name else 0.1)
    scale = float(np.sqrt(2 / np.prod(shape[1:]))) * (0.3 if "conv_offset" in name else 1.0)
    return generator.uniform(-1.7, 1.7, shape) * scale


def texture() -> NDArray[np.uint8]:
    """Return a BGR image of `INPUT_SIZE`, from integer arithmetic."""
    y, x = np.mgrid[: INPUT_SIZE.height, : INPUT_SIZE.width]
    return np.stack([(x * 3 + y * 5) % 256, (x * y // 7) % 256, (x * x // 11 + y * 2) % 256], axis=2).astype(np.uint8)
