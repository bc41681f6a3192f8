"""Costs of matching tracks with detections, as pure functions that return ``(N, M)`` matrices.

Element (i, j) of every matrix is the cost of matching track i with detection j; ``inf`` forbids the pair. The source,
unless another is named, is ``ppdet/modeling/mot/matching/jde_matching.py``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry import iou

FloatArray = NDArray[np.float32]

_APPEARANCE_WEIGHT = 0.98  # ``lambda_`` of ``fuse_motion``
_MIN_SIDE_PX = np.float32(1e-3)  # the filter may predict a side of 0 px or less


def iou_distance(boxes_a: FloatArray, boxes_b: FloatArray) -> FloatArray:
    """Return one minus the intersection over union (IoU).

    Args:
        boxes_a: ``(N, 4)`` xyxy, image px.
        boxes_b: ``(M, 4)`` xyxy, image px.

    Returns:
        ``(N, M)`` in [0, 1].
    """
    distance: FloatArray = 1 - iou(boxes_a, boxes_b)
    return distance


def cosine_distance(embeddings_a: FloatArray, embeddings_b: FloatArray) -> FloatArray:
    """Return one minus the cosine of the angle between embeddings, ``inf`` if one of them is unknown.

    Args:
        embeddings_a: ``(N, E)``, rows of unit length, or zeros for an unknown embedding.
        embeddings_b: ``(M, E)``, rows of unit length or zeros likewise.

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
    """Return the weighted sum of the distances in appearance and motion; pairs outside the motion gate are forbidden.

    Args:
        appearance: ``(N, M)`` cosine distances.
        gating: ``(N, M)`` squared Mahalanobis distances.
        gate: Largest squared Mahalanobis distance of a pair that is not forbidden.

    Returns:
        ``(N, M)`` costs: 0.98 ``appearance`` + 0.02 ``gating``, or ``inf``.
    """
    cost: FloatArray = gating * ((1 - _APPEARANCE_WEIGHT) / _APPEARANCE_WEIGHT)
    cost += appearance
    cost *= _APPEARANCE_WEIGHT
    np.copyto(cost, np.inf, where=gating > gate)
    return cost


def forbid_other_classes(cost: FloatArray, classes_a: NDArray[np.int64], classes_b: NDArray[np.int64]) -> FloatArray:
    """Return the costs with pairs of different classes forbidden.

    Args:
        cost: ``(N, M)`` costs; not changed.
        classes_a: ``(N,)`` class of each track.
        classes_b: ``(M,)`` class of each detection.

    Returns:
        ``(N, M)`` costs, ``inf`` for pairs whose classes differ.
    """
    if cost.size == 0 or ((classes_a == classes_b[0]).all() and (classes_b == classes_b[0]).all()):
        return cost
    return np.where(classes_a[:, None] == classes_b[None, :], cost, np.float32(np.inf))


def buffered_iou_distance(
    boxes_a: FloatArray, boxes_b: FloatArray, scale: FloatArray, height_power: int = 2
) -> FloatArray:
    """Return one minus the product of the IoU of enlarged boxes and a power of the IoU of their heights.

    Both boxes of a pair grow about their centres, as in C-BIoU (arXiv 2211.14317). The heights count as in the
    height-modulated IoU of Hybrid-SORT (arXiv 2308.00783). IoU does not depend on the unit of length, so instead of
    enlarging the boxes, the distance between their centres is divided by ``scale``.

    Args:
        boxes_a: ``(N, 4)`` xyxy, image px.
        boxes_b: ``(M, 4)`` xyxy, image px.
        scale: ``(N,)`` >= 1, factor by which the sides of both boxes grow in the pairs of a row.
        height_power: Exponent of the IoU of heights; 0 ignores heights.

    Returns:
        ``(N, M)`` in [0, 1].
    """
    intersection, height_a, height_b = _shared_length(boxes_a, boxes_b, scale, 1)
    similarity = intersection / (height_a + height_b - intersection)
    similarity **= height_power
    width, width_a, width_b = _shared_length(boxes_a, boxes_b, scale, 0)
    intersection *= width
    union = width_a * height_a + width_b * height_b
    union -= intersection
    intersection /= union
    similarity *= intersection
    distance: FloatArray = np.subtract(1, similarity, out=similarity)
    return distance


def _shared_length(
    boxes_a: FloatArray, boxes_b: FloatArray, scale: FloatArray, axis: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the overlap ``(N, M)`` of enlarged boxes along x (axis 0) or y (axis 1), and the sides of the boxes.

    The overlap is divided by ``scale``, so that it compares with the sides ``(N, 1)`` and ``(M,)`` before enlarging.
    """
    side_a = np.maximum(boxes_a[:, axis + 2] - boxes_a[:, axis], _MIN_SIDE_PX)[:, None]
    side_b = np.maximum(boxes_b[:, axis + 2] - boxes_b[:, axis], _MIN_SIDE_PX)
    centre_a = (boxes_a[:, axis + 2] + boxes_a[:, axis])[:, None] / 2
    offset = centre_a - (boxes_b[:, axis + 2] + boxes_b[:, axis]) / 2
    np.abs(offset, out=offset)
    offset /= scale[:, None]
    shared = (side_a + side_b) / 2
    shared -= offset
    np.minimum(shared, np.minimum(side_a, side_b), out=shared)
    return np.maximum(shared, 0, out=shared), side_a, side_b
