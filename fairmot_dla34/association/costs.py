"""What it costs to say that a track and a detection are the same person. Pure functions on ``(N, M)`` matrices.

Element (i, j) of every matrix belongs to track i and detection j; ``inf`` forbids the pair. Source of the rules, where
none is named: ``ppdet/modeling/mot/matching/jde_matching.py``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry import iou

FloatArray = NDArray[np.float32]

_APPEARANCE_WEIGHT = 0.98  # ``lambda_`` of ``fuse_motion``
_SMALLEST_SIDE_PX = np.float32(1e-3)  # a filter may predict none at all


def iou_distance(boxes_a: FloatArray, boxes_b: FloatArray) -> FloatArray:
    """One minus the intersection over union.

    Args:
        boxes_a: ``(N, 4)`` xyxy, image px.
        boxes_b: ``(M, 4)`` xyxy, image px.

    Returns:
        ``(N, M)`` in [0, 1].
    """
    distance: FloatArray = 1 - iou(boxes_a, boxes_b)
    return distance


def cosine_distance(embeddings_a: FloatArray, embeddings_b: FloatArray) -> FloatArray:
    """One minus the cosine of the angle between embeddings; ``inf`` where one of them is unknown.

    Args:
        embeddings_a: ``(N, E)``, rows of unit length, or zeros for an unknown embedding.
        embeddings_b: ``(M, E)``, likewise.

    Returns:
        ``(N, M)`` in [0, 2], or ``inf``.
    """
    distance: FloatArray = embeddings_a @ embeddings_b.T
    np.subtract(1, distance, out=distance)
    np.maximum(distance, 0, out=distance)
    distance[~embeddings_a.any(axis=1)] = np.inf
    distance[:, ~embeddings_b.any(axis=1)] = np.inf
    return distance


def fuse_motion(appearance: FloatArray, gating: FloatArray, gate: float) -> FloatArray:
    """Mix the distance in appearance with the one in motion, and forbid what motion rules out.

    Args:
        appearance: ``(N, M)`` cosine distances.
        gating: ``(N, M)`` squared Mahalanobis distances.
        gate: Pairs with ``gating`` above it are forbidden.

    Returns:
        ``(N, M)``: 0.98 ``appearance`` + 0.02 ``gating``, or ``inf``.
    """
    cost: FloatArray = gating * ((1 - _APPEARANCE_WEIGHT) / _APPEARANCE_WEIGHT)
    cost += appearance
    cost *= _APPEARANCE_WEIGHT
    np.copyto(cost, np.inf, where=gating > gate)
    return cost


def forbid_other_classes(cost: FloatArray, classes_a: NDArray[np.int64], classes_b: NDArray[np.int64]) -> FloatArray:
    """Forbid pairs of different classes.

    Args:
        cost: ``(N, M)``.
        classes_a: ``(N,)``.
        classes_b: ``(M,)``.

    Returns:
        ``(N, M)``: ``cost``, or ``inf`` where the classes differ.
    """
    if cost.size == 0 or ((classes_a == classes_b[0]).all() and (classes_b == classes_b[0]).all()):
        return cost
    return np.where(classes_a[:, None] == classes_b[None, :], cost, np.float32(np.inf))


def reaching_distance(boxes_a: FloatArray, boxes_b: FloatArray, reach: FloatArray, height_power: int = 2) -> FloatArray:
    """One minus the intersection over union of boxes that were grown, times that of their heights.

    Both boxes of a pair grow about their centres, as in C-BIoU (arXiv 2211.14317); the heights count as in the
    height-modulated IoU of Hybrid-SORT (arXiv 2308.00783). IoU has no scale, so instead of growing the boxes ``reach``
    times, the distance between their centres is divided by it.

    Args:
        boxes_a: ``(N, 4)`` xyxy, image px.
        boxes_b: ``(M, 4)`` xyxy, image px.
        reach: ``(N,)`` >= 1: how many times as large the boxes of a row become.
        height_power: Exponent of the heights' intersection over union; 0 leaves heights out.

    Returns:
        ``(N, M)`` in [0, 1].
    """
    intersection, height_a, height_b = _shared(boxes_a, boxes_b, reach, 1)
    similarity = intersection / (height_a + height_b - intersection)
    similarity **= height_power
    width, width_a, width_b = _shared(boxes_a, boxes_b, reach, 0)
    intersection *= width
    union = width_a * height_a + width_b * height_b
    union -= intersection
    intersection /= union
    similarity *= intersection
    distance: FloatArray = np.subtract(1, similarity, out=similarity)
    return distance


def _shared(
    boxes_a: FloatArray, boxes_b: FloatArray, reach: FloatArray, axis: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``(N, M)`` px shared along an axis, in units of the boxes as they were; their sides ``(N, 1)`` and ``(M,)``."""
    side_a = np.maximum(boxes_a[:, axis + 2] - boxes_a[:, axis], _SMALLEST_SIDE_PX)[:, None]
    side_b = np.maximum(boxes_b[:, axis + 2] - boxes_b[:, axis], _SMALLEST_SIDE_PX)
    centre_a = (boxes_a[:, axis + 2] + boxes_a[:, axis])[:, None] / 2
    apart = centre_a - (boxes_b[:, axis + 2] + boxes_b[:, axis]) / 2
    np.abs(apart, out=apart)
    apart /= reach[:, None]
    shared = (side_a + side_b) / 2
    shared -= apart
    np.minimum(shared, np.minimum(side_a, side_b), out=shared)
    return np.maximum(shared, 0, out=shared), side_a, side_b
