"""How the camera moved, told by the people alone: no picture is needed.

Where most people are found to the left of where they were expected, the camera has turned to the right. Trackers that
see the picture align it instead (BoT-SORT, arXiv 2206.14651); the predicted boxes do without, and cost nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .costs import reaching_distance

FloatArray = NDArray[np.float32]

# The first round finds pairs as far apart as 0.6 of a box, the second corrects what the first left over.
_REACHES = (1.6, 1.2)
_LARGEST_DISTANCE = 0.9  # of a pair; beyond it boxes hardly overlap
_FEWEST_PAIRS = 4  # a median of fewer follows single people
_RESTING_PAIRS = 2  # pairs for a camera at rest, so that few pairs move it less: pairs / (pairs + these)
_SMALLEST_HEIGHT_PX = 5.0
_MOST_BOXES = 100  # of either side: enough for a median, and 500 people stay cheap


def camera_shift(expected: FloatArray, found: FloatArray) -> FloatArray:
    """Estimate how far the whole picture has moved beyond what was expected.

    Pairs are boxes that are each other's nearest. Their offsets' median is taken, weighted by 1 / height: the boxes of
    people far away, which are small, are placed more exactly.

    Args:
        expected: ``(N, 4)`` xyxy, image px: where people should be now.
        found: ``(M, 4)`` xyxy, image px: where people are.

    Returns:
        ``(2,)`` shift in x and y, image px; zeros where there are fewer than four pairs.
    """
    shift = np.zeros(2, np.float32)
    expected, found = expected[:_MOST_BOXES], found[:_MOST_BOXES]
    if min(len(expected), len(found)) < _FEWEST_PAIRS:
        return shift
    for reach in _REACHES:
        moved = expected + np.tile(shift, 2)
        distance = reaching_distance(moved, found, np.full(len(moved), reach, np.float32))
        nearest = distance.argmin(axis=1)
        rows = np.arange(len(moved))
        mutual = (distance.argmin(axis=0)[nearest] == rows) & (distance[rows, nearest] < _LARGEST_DISTANCE)
        a, b = moved[mutual], found[nearest[mutual]]
        if len(a) < _FEWEST_PAIRS:
            break
        offsets = (b[:, :2] + b[:, 2:] - a[:, :2] - a[:, 2:]) / 2
        weights = 1 / np.maximum(a[:, 3] - a[:, 1], _SMALLEST_HEIGHT_PX)
        shift += _weighted_median(offsets, weights) * (len(a) / (len(a) + _RESTING_PAIRS))
    return shift


def _weighted_median(values: FloatArray, weights: FloatArray) -> FloatArray:
    """``(K,)``, of every column of ``(N, K)``."""
    order = values.argsort(axis=0, kind="stable")
    cumulative = weights[order].cumsum(axis=0)
    middle = (cumulative >= cumulative[-1] / 2).argmax(axis=0)
    median: FloatArray = np.take_along_axis(values, np.take_along_axis(order, middle[None], 0), 0)[0]
    return median
