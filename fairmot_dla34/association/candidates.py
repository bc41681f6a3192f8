"""Selection of the detections that may enter the tracker's state: finite numbers, unit embeddings, at most 2,000."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..geometry import xyxy_to_xyah

if TYPE_CHECKING:
    from ..values import Detections

FloatArray = NDArray[np.float32]

# Beyond these, float32 variances of the Kalman filter overflow or vanish. Images are smaller and people are larger.
MAX_COORDINATE_PX = 1e6
MIN_SIDE_PX = 1e-3

MAX_CANDIDATES = 2000  # in a frame; bounds time and memory. PaddleDetection's FairMOT finds at most 500


@dataclass(frozen=True, eq=False)
class Candidates:
    """Detections that may enter the state.

    Attributes:
        boxes: ``(M, 4)`` xyxy, image px, finite, of positive width and height.
        measurements: ``(M, 4)`` the same boxes as centre x, centre y, aspect, height, image px.
        scores: ``(M,)`` finite scores.
        embeddings: ``(M, E)`` rows of unit length, zeros for an unknown embedding; E is 0 without embeddings.
        class_ids: ``(M,)`` heatmap channels.
        left_out: Number of usable detections of the frame that are not among them, because there were over 2,000.
    """

    boxes: FloatArray
    measurements: FloatArray
    scores: FloatArray
    embeddings: FloatArray
    class_ids: NDArray[np.int64]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.boxes)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Candidates:
        """Return the rows of ``index``, or those that a mask selects."""
        return Candidates(
            self.boxes[index],
            self.measurements[index],
            self.scores[index],
            self.embeddings[index],
            self.class_ids[index],
        )


def candidates_from(detections: Detections, above_score: float, embedding_size: int) -> Candidates:
    """Select the detections that a tracker may use.

    A detection is dropped if its score is not finite or not above ``above_score``, or if its box is not finite, lies
    beyond 1,000,000 px or has a side shorter than 0.001 px. An embedding that is all zeros or not finite becomes zeros,
    which means "unknown"; its box is still used. Of more than 2,000 usable detections, those of the highest scores are
    selected; among equal scores, the first ones.

    Args:
        detections: Detections of one frame, boxes in image px; not changed.
        above_score: Lower bound on the score, exclusive.
        embedding_size: E of the result if no detection is left or there are no embeddings.

    Returns:
        The remaining detections, in the same order.
    """
    usable = (detections.scores > above_score) & (detections.scores < np.inf)
    usable &= (np.abs(detections.boxes) <= MAX_COORDINATE_PX).all(axis=1)  # False for NaN
    index = np.flatnonzero(usable)
    boxes = detections.boxes[index]
    large = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_SIDE_PX).all(axis=1)
    index, boxes = index[large], boxes[large]
    left_out = max(0, len(index) - MAX_CANDIDATES)
    if left_out:
        best = np.sort(np.argsort(-detections.scores[index], kind="stable")[:MAX_CANDIDATES])
        index, boxes = index[best], boxes[best]
    return Candidates(
        boxes,
        xyxy_to_xyah(boxes),
        detections.scores[index],
        unit_rows(detections.embeddings[index])
        if detections.embeddings is not None and len(index)
        else np.zeros((len(index), embedding_size), np.float32),
        np.zeros(len(index), np.int64) if detections.class_ids is None else detections.class_ids[index],
        left_out,
    )


def unit_rows(vectors: FloatArray) -> FloatArray:
    """Return the rows of ``(M, E)`` scaled to unit length; rows without a direction (NaN, inf, zero) become zeros."""
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)).astype(np.float32)
        known = (norms > 0) & (norms < np.inf)
        unit: FloatArray = vectors / np.where(known, norms, np.float32(1))[:, None]
    unit[~known] = 0
    return unit
