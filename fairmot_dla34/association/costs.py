"""What it costs to say that a track and a detection are the same person. Pure functions on ``(N, M)`` matrices.

Element (i, j) of every matrix belongs to track i and detection j; ``inf`` forbids the pair. Source of the rules:
``ppdet/modeling/mot/matching/jde_matching.py``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..geometry import iou

FloatArray = NDArray[np.float32]

_APPEARANCE_WEIGHT = 0.98  # ``lambda_`` of ``fuse_motion``


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
