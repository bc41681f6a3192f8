"""``steady``: our method, for cameras that move, people who hide, and frames that are missing.

It is BYTE's order of passes (arXiv 2110.06864) with four changes, each measured in docs/association.md: the motion
model runs in real time, the camera's motion is taken out, boxes grow with the time since a person was seen, and heights
must agree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..config import TrackerConfig
from . import costs
from . import kalman
from .camera import camera_shift
from .candidates import Candidates
from .rules import GROWTH_PER_S, Moment
from .tracklet import Tracklets

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

_UNIT_S = 1 / 30  # the filter's unit of time, at any frame rate; `Tuning.noise` belongs to it

_LOW_SCORE_LIMIT = 0.5  # ByteTrack's in the second pass
_SURE_SCORE = 0.9  # such a detection is no false alarm: its track is reported at once
_CAMERA_MEMORY = 2  # frames: older tracklets say nothing about the camera now


class Tuning(NamedTuple):
    """Numbers that were chosen on data; ``benchmarks/association.py --leave-one-out`` tries others.

    Attributes:
        growth_per_s: Of its side that a box grows to each side in a second unseen.
        height_power: Exponent of the heights' intersection over union in the cost.
        lost_limit: In place of ``match_thres`` for lost tracklets: grown boxes meet strangers more easily.
        noise: People change their walk more slowly than deep_sort's 1/160 has it, and detections shake more than its
            1/20: a calmer velocity carries a hidden person further. The width follows the detections, while
            deep_sort's aspect hardly moves.
    """

    growth_per_s: float = GROWTH_PER_S
    height_power: int = 2
    lost_limit: float = 0.7
    noise: kalman.Noise = kalman.Noise(velocity=1 / 240, measurement=0.06, aspect=0.03, aspect_measurement=0.03)


class SteadyRules:
    """The rules of ``steady``.

    Args:
        config: Settings.
        frame_rate: Frames per second of the source.
        tuning: Numbers that no user needs to set.
    """

    low_score_limit = _LOW_SCORE_LIMIT
    sure_score = _SURE_SCORE

    def __init__(self, config: TrackerConfig, frame_rate: float, tuning: Tuning = Tuning()) -> None:  # noqa: B008
        self.noise = tuning.noise
        self._tuning = tuning
        self._config = config
        self._frame_rate = frame_rate

    def predict(self, tracklets: Tracklets, high: Candidates, now: Moment) -> None:
        """Move all tracklets by their own motion, then by the camera's."""
        time = now.passed / self._frame_rate / _UNIT_S
        everyone = np.arange(len(tracklets))
        tracklets.predict(everyone, time, self.noise)
        last_update = now.frame - now.passed
        recent = np.flatnonzero(tracklets.last_frames > last_update - _CAMERA_MEMORY)
        tracklets.mean[:, :2] += camera_shift(tracklets.boxes(recent), high.boxes)

    def first_cost(
        self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: Moment
    ) -> tuple[FloatArray, float]:
        """Distance of boxes, or of embeddings where that is less; lost tracklets have a limit of their own.

        As in BoT-SORT (arXiv 2206.14651) embeddings count only where the boxes, grown here, overlap.
        """
        limit = self._config.match_thres
        cost = self.box_cost(tracklets, rows, candidates, now)
        if tracklets.embeddings.shape[1]:
            appearance = costs.cosine_distance(tracklets.embeddings[rows], candidates.embeddings)
            alike = (appearance <= self._config.tracked_thresh) & (cost < 1)
            np.minimum(cost, appearance, out=cost, where=alike)
        cost[tracklets.lost[rows]] += np.float32(limit - min(self._tuning.lost_limit, limit))
        return cost, limit

    def box_cost(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: Moment) -> FloatArray:
        """Distance of boxes that have grown since the person was seen last."""
        unseen_s = (now.frame - tracklets.last_frames[rows]) / self._frame_rate
        reach = (1 + 2 * self._tuning.growth_per_s * unseen_s).astype(np.float32)
        return costs.reaching_distance(tracklets.boxes(rows), candidates.boxes, reach, self._tuning.height_power)
