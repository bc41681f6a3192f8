"""Estimate of the camera's motion from predicted and detected boxes, without the image.

If most people are found to the left of their predicted positions, the camera has turned to the right. BoT-SORT (arXiv
2206.14651) aligns the images instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .costs import buffered_iou_distance

FloatArray = NDArray[np.float32]

# One round per scale of the boxes: the first finds pairs up to 0.6 of a box apart, the second corrects the rest.
_BOX_SCALES = (1.6, 1.2)
_MAX_DISTANCE = 0.9  # largest distance of a pair; beyond it, boxes hardly overlap
_MIN_PAIRS = 4  # the median of fewer pairs follows single people
_REST_PAIRS = 2  # prior for a camera at rest: the shift is multiplied by pairs / (pairs + this)
_MIN_HEIGHT_PX = 5.0
_MAX_BOXES = 100  # predicted and detected ones each: enough for a median, and fast with hundreds of people


def camera_shift(predicted: FloatArray, detected: FloatArray) -> FloatArray:
    """Estimate how far the whole image has moved relative to the predicted boxes.

    Pairs are boxes that are each other's nearest. The shift is the median of their offsets, weighted by 1 / height,
    because the small boxes of distant people are placed more exactly.

    Args:
        predicted: ``(N, 4)`` xyxy, image px: boxes predicted for this frame.
        detected: ``(M, 4)`` xyxy, image px: boxes detected in this frame.

    Returns:
        ``(2,)`` shift in x and y, image px; zeros if there are fewer than four pairs.
    """
    shift = np.zeros(2, np.float32)
    predicted, detected = predicted[:_MAX_BOXES], detected[:_MAX_BOXES]
    if min(len(predicted), len(detected)) < _MIN_PAIRS:
        return shift
    for scale in _BOX_SCALES:
        moved = predicted + np.tile(shift, 2)
        distance = buffered_iou_distance(moved, detected, np.full(len(moved), scale, np.float32))
        nearest = distance.argmin(axis=1)
        rows = np.arange(len(moved))
        mutual = (distance.argmin(axis=0)[nearest] == rows) & (distance[rows, nearest] < _MAX_DISTANCE)
        a, b = moved[mutual], detected[nearest[mutual]]
        if len(a) < _MIN_PAIRS:
            break
        offsets = (b[:, :2] + b[:, 2:] - a[:, :2] - a[:, 2:]) / 2
        weights = 1 / np.maximum(a[:, 3] - a[:, 1], _MIN_HEIGHT_PX)
        shift += _weighted_median(offsets, weights) * (len(a) / (len(a) + _REST_PAIRS))
    return shift


def _weighted_median(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the median ``(K,)`` of each column of ``values`` ``(N, K)``, rows weighted by ``weights`` ``(N,)``."""
    order = values.argsort(axis=0, kind="stable")
    cumulative = weights[order].cumsum(axis=0)
    middle = (cumulative >= cumulative[-1] / 2).argmax(axis=0)
    median: FloatArray = np.take_along_axis(values, np.take_along_axis(order, middle[None], 0), 0)[0]
    return median
