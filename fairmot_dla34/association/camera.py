"""Estimate of the camera's motion from predicted and detected boxes, without the image.

If most people are found to the left of their predicted positions, the camera has turned to the right. BoT-SORT (arXiv
2206.14651) aligns the images instead. People are few and their steps are noisy, so that a camera at rest seems to move
a little in every frame. `CameraMotion` therefore learns how much the camera of this video moves, and believes an offset
as far as it exceeds its own uncertainty: the posterior mean of a normal distribution with a prior learned from the data
(empirical Bayes).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .costs import buffered_iou_distance

FloatArray = NDArray[np.float32]

# One round per scale of the boxes: the first finds pairs up to 0.6 of a box apart, the second corrects the rest.
_BOX_SCALES = (1.6, 1.2)
_MAX_DISTANCE = 0.9  # largest distance of a pair; beyond it, boxes hardly overlap
_MIN_PAIRS = 3  # fewer pairs say nothing about their spread
_MIN_HEIGHT_PX = 5.0
_MAX_BOXES = 100  # predicted and detected ones each: enough for a median, and fast with hundreds of people
_MAD_TO_STD = 1.4826  # of a normal distribution
_MEDIAN_VARIANCE = 1.57  # of the median of n normal values, times their variance / n: pi / 2
_PRIOR_STD = 0.03  # motion between two updates at the start, in heights of a person
_GAIN = 0.1  # share of the newest update in the estimated variance
_NOISE_MARGIN = 2.0  # variance of an offset that is taken for noise, in units of its own estimated variance


class _Offset(NamedTuple):
    """Common offset of pairs of boxes.

    Attributes:
        shift: ``(2,)`` weighted median of the offsets in x and y, px.
        variance: Sum of the variances of both medians, px^2.
        height: Median height of the boxes, px.
    """

    shift: FloatArray
    variance: float
    height: float


class CameraMotion:
    """Motion of the camera between updates; keeps one number.

    Attributes:
        variance: Mean square of the motion between two updates, in squared heights of a person.
    """

    def __init__(self) -> None:
        self.variance = _PRIOR_STD**2
        self._is_prior = True

    @property
    def measured(self) -> float | None:
        """Root of `variance` once it was measured; None before."""
        return None if self._is_prior else float(self.variance**0.5)

    def estimate(self, predicted: FloatArray, detected: FloatArray) -> FloatArray:
        """Estimate how far the whole image has moved relative to the predicted boxes.

        Args:
            predicted: ``(N, 4)`` xyxy, image px: boxes predicted for this frame.
            detected: ``(M, 4)`` xyxy, image px: boxes detected in this frame.

        Returns:
            ``(2,)`` shift in x and y, image px; zeros if there are fewer than three pairs.
        """
        predicted, detected = predicted[:_MAX_BOXES], detected[:_MAX_BOXES]
        shift, first = np.zeros(2, np.float32), None
        for scale in _BOX_SCALES:
            offset = _common_offset(predicted + np.concatenate([shift, shift]), detected, scale)
            if offset is None:
                break
            prior = self.variance * offset.height**2
            shift = shift + offset.shift * np.float32(prior / (prior + offset.variance))
            first = first or offset
        if first is not None:
            self._is_prior = False
            excess = max(float((first.shift**2).sum()) - _NOISE_MARGIN * first.variance, 0.0) / first.height**2
            self.variance += _GAIN * (excess - self.variance)
        return shift


def _common_offset(predicted: FloatArray, detected: FloatArray, scale: float) -> _Offset | None:
    """Return the offset of the boxes that are each other's nearest; None if there are too few.

    The offsets are weighted by 1 / height, because the small boxes of distant people are placed more exactly.
    """
    if min(len(predicted), len(detected)) < _MIN_PAIRS:
        return None
    distance = buffered_iou_distance(predicted, detected, np.full(len(predicted), scale, np.float32))
    nearest = distance.argmin(axis=1)
    rows = np.arange(len(predicted))
    mutual = (distance.argmin(axis=0)[nearest] == rows) & (distance[rows, nearest] < _MAX_DISTANCE)
    a, b = predicted[mutual], detected[nearest[mutual]]
    if len(a) < _MIN_PAIRS:
        return None
    offsets = (b[:, :2] + b[:, 2:] - a[:, :2] - a[:, 2:]) / 2
    heights = np.maximum(a[:, 3] - a[:, 1], _MIN_HEIGHT_PX)
    weights = 1 / heights
    shift = _weighted_median(offsets, weights)
    spread = _weighted_median(np.abs(offsets - shift), weights) * _MAD_TO_STD
    variance = float((spread**2).sum()) * _MEDIAN_VARIANCE / len(a)
    heights.sort()
    median = (heights[(len(a) - 1) // 2] + heights[len(a) // 2]) / 2  # faster than np.median
    return _Offset(shift, max(variance, 1e-6), float(median))


def _weighted_median(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the median ``(K,)`` of each column of ``values`` ``(N, K)``, rows weighted by ``weights`` ``(N,)``."""
    order = values.argsort(axis=0, kind="stable")
    cumulative = weights[order].cumsum(axis=0)
    middle = (cumulative >= cumulative[-1] / 2).argmax(axis=0)
    columns = np.arange(values.shape[1])
    median: FloatArray = values[order[middle, columns], columns]
    return median
