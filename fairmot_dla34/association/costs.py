"""Costs of matching tracks with detections, as pure functions that return ``(N, M)`` matrices.

Element (i, j) of every matrix is the cost of matching track i with detection j; ``inf`` forbids the pair. The source,
unless another is named, is ``ppdet/modeling/mot/matching/jde_matching.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..geometry import iou

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

_APPEARANCE_WEIGHT = 0.98  # ``lambda_`` of ``fuse_motion``
_MIN_SIDE_PX = np.float32(1e-3)  # the filter may predict a side of 0 px or less

_SMALL = 4000  # pairs: for fewer, to find those that overlap takes longer than to compare all
_FEW = 0.1  # share of the pairs; if more may overlap, whole blocks are faster than single pairs
_REACH_MARGIN = np.float32(1.001)  # covers the rounding of float32
_GATHER_PRICE = 20  # time of one product of two rows of embeddings, in units of one in a product of matrices
_BLOCK = 1 << 16  # pairs in a block: 256 KiB in float32


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


def cosine_distance_of_pairs(embeddings_a: FloatArray, embeddings_b: FloatArray, pairs: IntArray) -> FloatArray:
    """Return the elements of `cosine_distance` at the flat indices ``pairs`` ``(P,)``.

    If they are few, the others are not computed; the result then differs by the rounding of float32.
    """
    if len(pairs) * _GATHER_PRICE > len(embeddings_a) * len(embeddings_b):
        return cosine_distance(embeddings_a, embeddings_b).ravel()[pairs]
    rows, columns = np.divmod(pairs, len(embeddings_b))
    distance: FloatArray = np.einsum("ij,ij->i", embeddings_a[rows], embeddings_b[columns])
    np.subtract(1, distance, out=distance)
    np.maximum(distance, 0, out=distance)
    unknown_a, unknown_b = ~embeddings_a.any(axis=1), ~embeddings_b.any(axis=1)
    distance[np.take(unknown_a, rows) | np.take(unknown_b, columns)] = np.inf
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
    boxes_a: FloatArray, boxes_b: FloatArray, scale: FloatArray, height_power: float = 2
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
    a, b = _CentredBoxes.of(boxes_a), _CentredBoxes.of(boxes_b)
    if len(boxes_a) * len(boxes_b) <= _SMALL:
        return _pair_distance(a.column(), b, scale[:, None], height_power)
    distance = np.ones((len(boxes_a), len(boxes_b)), np.float32)
    near = _near_in_x(a, b, scale)
    if near is not None:
        rows, columns = near
        pairs = distance.ravel()
        pairs[rows * len(boxes_b) + columns] = _pair_distance(a.take(rows), b.take(columns), scale[rows], height_power)
        return distance
    for block in row_blocks(*distance.shape):
        distance[block] = _pair_distance(a.take(block).column(), b, scale[block, None], height_power)
    return distance


def row_blocks(row_count: int, column_count: int) -> Iterator[slice]:
    """Yield slices of the rows of a matrix whose blocks fit into the cache of a processor."""
    step = max(1, _BLOCK // max(1, column_count))
    for start in range(0, row_count, step):
        yield slice(start, min(start + step, row_count))


class _CentredBoxes(NamedTuple):
    """Boxes as columns; all of one shape.

    Attributes:
        x: Horizontal centres.
        y: Vertical centres.
        width: Widths, above 0.
        height: Heights, above 0.
    """

    x: FloatArray
    y: FloatArray
    width: FloatArray
    height: FloatArray

    @classmethod
    def of(cls, boxes: FloatArray) -> _CentredBoxes:
        left, top, right, bottom = np.ascontiguousarray(boxes.T)
        width, height = np.maximum(right - left, _MIN_SIDE_PX), np.maximum(bottom - top, _MIN_SIDE_PX)
        return cls((right + left) / 2, (bottom + top) / 2, width, height)

    def take(self, index: IntArray | slice) -> _CentredBoxes:
        return _CentredBoxes(*(values[index] for values in self))

    def column(self) -> _CentredBoxes:
        return _CentredBoxes(*(values[:, None] for values in self))


def _near_in_x(a: _CentredBoxes, b: _CentredBoxes, scale: FloatArray) -> tuple[IntArray, IntArray] | None:
    """Return rows and columns of all pairs that may overlap along x, and some more; None if they are not few."""
    order = b.x.argsort(kind="stable")
    x, reach = b.x[order], (a.width + b.width.max()) / 2 * scale * _REACH_MARGIN
    start, end = x.searchsorted(a.x - reach), x.searchsorted(a.x + reach, side="right")
    counts = end - start
    total = int(counts.sum())
    if total > len(a.x) * len(x) * _FEW:
        return None
    rows = np.arange(len(a.x)).repeat(counts)
    columns = np.arange(total) + (start - counts.cumsum() + counts).repeat(counts)
    return rows, order[columns]


def _pair_distance(a: _CentredBoxes, b: _CentredBoxes, scale: FloatArray, height_power: float) -> FloatArray:
    """Return `buffered_iou_distance` of pairs of boxes, whose shapes are broadcast."""
    intersection = _shared_length(a.y, b.y, a.height, b.height, scale)
    similarity = intersection / (a.height + b.height - intersection)
    similarity **= height_power
    intersection *= _shared_length(a.x, b.x, a.width, b.width, scale)
    union = a.width * a.height + b.width * b.height
    union -= intersection
    intersection /= union
    similarity *= intersection
    distance: FloatArray = np.subtract(1, similarity, out=similarity)
    return distance


def _shared_length(
    centre_a: FloatArray, centre_b: FloatArray, side_a: FloatArray, side_b: FloatArray, scale: FloatArray
) -> FloatArray:
    """Return the overlap of enlarged sides, divided by ``scale``: it compares with the sides before enlarging."""
    offset = centre_a - centre_b
    np.abs(offset, out=offset)
    offset /= scale
    shared = (side_a + side_b) / 2
    shared -= offset
    np.minimum(shared, np.minimum(side_a, side_b), out=shared)
    return np.maximum(shared, 0, out=shared)
