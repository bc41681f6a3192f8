"""What one method of association decides: how tracklets move, and what a match costs.

`Rules` is what `Tracker` asks of a method. `JdeRules` is JDETracker's way; ``steady.py`` has ours.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..config import TrackerConfig
from . import costs
from . import kalman
from .candidates import Candidates
from .tracklet import Tracklets

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

GROWTH_PER_S = 0.5  # of its side that a box grows to each side in a second unseen; see docs/association.md
_JDE_LOW_SCORE_LIMIT = 0.4  # largest IoU distance in BYTE's second pass, a constant in jde_tracker.py


class Moment(NamedTuple):
    """An update's place in time.

    Attributes:
        frame: The source's frame by the tracker's clock, counted from 1.
        passed: Frames since the last update, >= 1.
    """

    frame: int
    passed: int


class Rules(Protocol):
    """One method.

    Attributes:
        noise: Of the Kalman filter.
        low_score_limit: Largest cost in the second pass, over low scores.
        sure_score: A new track of at least this score is confirmed at once.
    """

    noise: kalman.Noise
    low_score_limit: float
    sure_score: float

    def predict(self, tracklets: Tracklets, high: Candidates, now: Moment) -> None:
        """Move the tracklets to where they should be now."""
        ...

    def first_cost(
        self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: Moment
    ) -> tuple[FloatArray, float]:
        """``(N, M)`` cost of the first stage, and its limit."""
        ...

    def box_cost(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: Moment) -> FloatArray:
        """``(N, M)`` cost of the later stages, which compare boxes only."""
        ...


class JdeRules:
    """``jde`` and ``byte``: JDETracker's rules, to which frames skipped between two updates are added.

    Args:
        config: Settings.
        frame_rate: Frames per second of the source.
    """

    noise = kalman.DEEP_SORT
    low_score_limit = _JDE_LOW_SCORE_LIMIT
    sure_score = np.inf

    def __init__(self, config: TrackerConfig, frame_rate: float) -> None:
        self._config = config
        self._frame_rate = frame_rate

    def predict(self, tracklets: Tracklets, high: Candidates, now: Moment) -> None:  # noqa: ARG002
        """Move the confirmed tracklets; as in the reference, those seen once stay where they were."""
        tracklets.predict(np.flatnonzero(tracklets.confirmed), now.passed)

    def first_cost(
        self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: Moment
    ) -> tuple[FloatArray, float]:
        """Embedding and motion, or IoU where there are no embeddings."""
        if not tracklets.embeddings.shape[1]:
            return self.box_cost(tracklets, rows, candidates, now), self._config.match_thres
        appearance = costs.cosine_distance(tracklets.embeddings[rows], candidates.embeddings)
        motion = kalman.gating_distance(tracklets.mean[rows], tracklets.covariance[rows], candidates.measurements)
        return costs.fuse_motion(appearance, motion, kalman.CHI2_95_4DOF), self._config.tracked_thresh

    def box_cost(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: Moment) -> FloatArray:
        """IoU distance; where frames were skipped, of boxes grown by the time that passed in them."""
        boxes = tracklets.boxes(rows)
        if now.passed == 1:
            return costs.iou_distance(boxes, candidates.boxes)
        reach = 1 + 2 * GROWTH_PER_S * (now.passed - 1) / self._frame_rate
        return costs.reaching_distance(boxes, candidates.boxes, np.full(len(boxes), reach, np.float32), height_power=0)
