"""Compares the peaks of two precisions, box by box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..association.assignment import assign
from ..association.config import DEFAULT_CONF_THRES
from ..geometry import iou
from ..values import Peaks

_MIN_IOU = 0.5  # two peaks with less overlap are different people
_SCORE_COST = 1e-3  # decides between boxes that are the same, such as those of two classes or of neighbouring cells


@dataclass(frozen=True)
class Agreement:
    """Agreement of int8 with fp32 on the peaks that a tracker uses in its first stage.

    Attributes:
        frames: Number of images compared.
        threshold: Score above which a peak of fp32 counts.
        fp32_peaks: Number of peaks of fp32 above the threshold.
        int8_peaks: Number of peaks of int8 above the threshold.
        matched: Number of fp32 peaks with an int8 peak of IoU >= 0.5 and a score above half the threshold.
        mean_iou: Mean IoU of matched peaks; None if there are none.
        mean_score_difference: Mean absolute difference of their scores; None if there are none.
        mean_cosine: Mean cosine of their embeddings; None if there are none.
    """

    frames: int
    threshold: float
    fp32_peaks: int
    int8_peaks: int
    matched: int
    mean_iou: float | None
    mean_score_difference: float | None
    mean_cosine: float | None


def agreement(fp32: Sequence[Peaks], int8: Sequence[Peaks]) -> Agreement:
    """Compare two precisions, image by image.

    Args:
        fp32: Peaks of the reference, one value per image.
        int8: Peaks of the other precision on the same images.
    """
    threshold = DEFAULT_CONF_THRES
    matched = [_matched(a, b, threshold) for a, b in zip(fp32, int8, strict=True)]
    rows = np.concatenate([np.zeros((0, 3)), *matched])
    means = [float(mean) for mean in rows.mean(axis=0)] if len(rows) else [None] * 3
    return Agreement(
        len(fp32),
        threshold,
        _count(fp32, threshold),
        _count(int8, threshold),
        len(rows),
        mean_iou=means[0],
        mean_score_difference=means[1],
        mean_cosine=means[2],
    )


def matched_pairs(a: Peaks, b: Peaks, low_a: float, low_b: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair the peaks of two networks on one image: of one class, IoU at least 0.5, the largest overlaps in all.

    Args:
        a: Peaks of one network.
        b: Peaks of the other network.
        low_a: Score above which a peak of ``a`` takes part.
        low_b: Score above which a peak of ``b`` takes part.

    Returns:
        Row of each pair in ``a`` and in ``b``.
    """
    of_a, of_b = np.flatnonzero(a.scores > low_a), np.flatnonzero(b.scores > low_b)
    is_other = np.asarray(a.class_ids)[of_a, None] != np.asarray(b.class_ids)[of_b]  # (N, M)
    scores = np.abs(a.scores[of_a, None] - b.scores[of_b])
    cost = 1 - iou(_upright(a.boxes[of_a]), _upright(b.boxes[of_b])) + is_other
    limit = 1 - _MIN_IOU
    pairs = assign(np.where(cost > limit, np.inf, cost + _SCORE_COST * scores), limit + _SCORE_COST)
    return of_a[pairs.rows], of_b[pairs.columns]


def _upright(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Exchange sides in the wrong order: an untrained network gives such boxes, which overlap nothing."""
    corners = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([np.minimum(*corners), np.maximum(*corners)], axis=1)


def _matched(a: Peaks, b: Peaks, threshold: float) -> NDArray[np.float64]:
    """Return ``(K, 3)``: IoU, score difference and cosine of each matched pair."""
    i, j = matched_pairs(a, b, threshold, threshold / 2)
    overlaps = iou(a.boxes[i], b.boxes[j]).diagonal()
    cosines = (np.asarray(a.embeddings)[i] * np.asarray(b.embeddings)[j]).sum(axis=1)
    differences = np.abs(a.scores[i] - b.scores[j])
    return np.column_stack([overlaps, differences, cosines]).astype(np.float64)


def _count(peaks: Sequence[Peaks], threshold: float) -> int:
    return sum(int(np.count_nonzero(one.scores > threshold)) for one in peaks)
