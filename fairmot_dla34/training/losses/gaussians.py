"""Gaussians around the centres of boxes in a heatmap.

Source: ``gaussian_radius`` and ``gaussian2D`` in ``ppdet/data/transform/op_helper.py`` and ``draw_truncate_gaussian``
in ``batch_operators.py`` of PaddleDetection 2.6; CornerNet, arXiv 1808.01244.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MIN_OVERLAP = 0.7  # IoU with the true box that a box keeps if its centre moves by the Gaussian's radius


def gaussian_radius(height: float, width: float) -> int:
    """Return how many cells a centre may move while the box keeps an IoU of `MIN_OVERLAP` (CornerNet's three cases).

    The roots are those of CornerNet's code, which divides by 2 instead of 2a, as PaddleDetection's does.
    """
    cases = (
        (1, height + width, width * height * (1 - MIN_OVERLAP) / (1 + MIN_OVERLAP)),
        (4, 2 * (height + width), (1 - MIN_OVERLAP) * width * height),
        (4 * MIN_OVERLAP, -2 * MIN_OVERLAP * (height + width), (MIN_OVERLAP - 1) * width * height),
    )
    return max(0, int(min((b + math.sqrt(b * b - 4 * a * c)) / 2 for a, b, c in cases)))


def draw_gaussian(heatmap: NDArray[np.float32], centre: tuple[int, int], radius: int) -> None:
    """Raise ``heatmap``, in place, to a Gaussian around ``centre`` (column, row)."""
    column, row = centre
    height, width = heatmap.shape
    left, right = min(column, radius), min(width - column - 1, radius)
    top, bottom = min(row, radius), min(height - row - 1, radius)
    sigma = (2 * radius + 1) / 6
    y, x = np.ogrid[-top : bottom + 1, -left : right + 1]
    gaussian = np.exp(-(x * x / (2 * sigma * sigma) + y * y / (2 * sigma * sigma)))
    gaussian[gaussian < np.finfo(np.float64).eps] = 0
    window = heatmap[row - top : row + bottom + 1, column - left : column + right + 1]
    window[:] = np.maximum(window, gaussian)
