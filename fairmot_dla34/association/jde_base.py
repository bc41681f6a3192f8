"""Motion model and match costs that ``jde`` and ``byte`` share, as in PaddleDetection's ``JDETracker``.

Frames skipped between two updates are an addition: ``JDETracker`` moves a track by one frame per update.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import costs, kalman
from .candidates import Candidates
from .rules import GROWTH_PER_S, Rules, UpdateTime
from .tracklet import Tracklets

if TYPE_CHECKING:
    from .config import TrackerConfig

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]


class JdeBase(Rules):
    """Base class of `JdeRules` and `ByteRules`.

    Args:
        config: Settings of the tracker.
        frame_rate: Frames per second of the source.
    """

    def __init__(self, config: TrackerConfig, frame_rate: float) -> None:
        self._config = config
        self._frame_rate = frame_rate
        self.high_score, self._low_score = config.score_thresholds

    def split(self, scores: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the scores above and those below `high_score`; one that equals it is not used, as in the reference."""
        return scores > self.high_score, scores < self.high_score

    def predict(self, tracklets: Tracklets, candidates: Candidates, now: UpdateTime) -> None:  # noqa: ARG002
        """Move the confirmed tracklets. Unconfirmed ones stay where they were, as in the reference."""
        tracklets.predict(np.flatnonzero(tracklets.confirmed), now.elapsed_frames)

    def first_stage_cost(
        self,
        tracklets: Tracklets,
        rows: IntArray,
        candidates: Candidates,
        now: UpdateTime,  # noqa: ARG002
    ) -> tuple[FloatArray, float]:
        """Return the distance of embeddings mixed with that of motion, and ``tracked_thresh``."""
        appearance = costs.cosine_distance(tracklets.embeddings[rows], candidates.embeddings)
        motion = kalman.gating_distance(tracklets.mean[rows], tracklets.covariance[rows], candidates.measurements)
        return costs.fuse_motion(appearance, motion, kalman.CHI2_95_4DOF), self._config.tracked_thresh

    def box_cost(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime) -> FloatArray:
        """Return the IoU distance; the boxes grow with the time skipped since the previous update."""
        boxes = tracklets.boxes(rows)
        if now.elapsed_frames == 1:
            return costs.iou_distance(boxes, candidates.boxes)
        scale = 1 + 2 * GROWTH_PER_S * (now.elapsed_frames - 1) / self._frame_rate
        scales = np.full(len(boxes), scale, np.float32)
        return costs.buffered_iou_distance(boxes, candidates.boxes, scales, height_power=0)
