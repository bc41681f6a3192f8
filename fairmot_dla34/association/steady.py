"""Association method ``steady``, for moving cameras, hidden people and missing frames.

It has the stages of BYTE (arXiv 2110.06864) and differs in four points, each measured in docs/association.md: the
motion model runs in seconds, the camera's motion is removed, boxes grow with the time since a person was last seen, and
the heights of a pair must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import costs, kalman
from .byte import NEW_TRACK_MARGIN
from .camera import camera_shift
from .candidates import Candidates
from .rules import GROWTH_PER_S, UpdateTime
from .tracklet import Tracklets

if TYPE_CHECKING:
    from .config import TrackerConfig

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

_UNIT_S = 1 / 30  # the filter's unit of time at any frame rate; `Tuning.noise` is per this unit
_SECOND_STAGE_LIMIT = 0.5  # ByteTrack's
_INSTANT_CONFIRM_SCORE = 0.9  # false alarms of such a score are rare
_CAMERA_MEMORY_FRAMES = 2  # tracklets last seen before that no longer show how the camera moves


class Tuning(NamedTuple):
    """Constants chosen on data; ``benchmarks/association.py --leave-one-out`` tries others.

    Attributes:
        growth_per_s: Growth of a box in each direction per unseen second, as a share of its width and height.
        height_power: Exponent of the IoU of heights in the cost.
        lost_limit: Replaces ``match_thres`` for lost tracklets, whose grown boxes overlap strangers more easily.
        noise: Noise of the Kalman filter. People change their velocity more slowly than deep_sort's 1/160 assumes, and
            detections jitter more than its 1/20; a smoother velocity predicts a hidden person further. The width
            follows the detections, while deep_sort's aspect hardly moves.
    """

    growth_per_s: float = GROWTH_PER_S
    height_power: int = 2
    lost_limit: float = 0.7
    noise: kalman.Noise = kalman.Noise(velocity=1 / 240, measurement=0.06, aspect=0.03, aspect_measurement=0.03)


class SteadyRules:
    """Rules of ``steady``.

    Args:
        config: Settings of the tracker.
        frame_rate: Frames per second of the source.
        tuning: Constants that no user needs to set.
    """

    needs_embeddings = False
    matches_low_scores = True
    second_stage_limit = _SECOND_STAGE_LIMIT
    instant_confirm_score = _INSTANT_CONFIRM_SCORE

    def __init__(self, config: TrackerConfig, frame_rate: float, tuning: Tuning = Tuning()) -> None:  # noqa: B008
        self.lowest_score = min(config.low_conf_thres, config.conf_thres)
        self.new_track_score = config.conf_thres + NEW_TRACK_MARGIN
        self.noise = tuning.noise
        self._tuning = tuning
        self._config = config
        self._frame_rate = frame_rate

    def predict(self, tracklets: Tracklets, candidates: Candidates, now: UpdateTime) -> None:
        """Move all tracklets by their own motion, then by the camera's."""
        time = now.elapsed_frames / self._frame_rate / _UNIT_S
        tracklets.predict(np.arange(len(tracklets)), time, self.noise)
        previous_frame = now.frame - now.elapsed_frames
        recent = np.flatnonzero(tracklets.last_frames > previous_frame - _CAMERA_MEMORY_FRAMES)
        tracklets.mean[:, :2] += camera_shift(tracklets.boxes(recent), candidates.boxes)

    def first_stage_cost(
        self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime
    ) -> tuple[FloatArray, float]:
        """Return the distance of boxes, or that of embeddings if it is smaller, and ``match_thres``.

        Embeddings count only for pairs whose grown boxes overlap, as in BoT-SORT (arXiv 2206.14651). The cost of lost
        tracklets is raised so that ``match_thres`` acts on them as `Tuning.lost_limit`.
        """
        limit = self._config.match_thres
        cost = self.box_cost(tracklets, rows, candidates, now)
        if tracklets.embeddings.shape[1]:
            appearance = costs.cosine_distance(tracklets.embeddings[rows], candidates.embeddings)
            alike = (appearance <= self._config.tracked_thresh) & (cost < 1)
            np.minimum(cost, appearance, out=cost, where=alike)
        cost[tracklets.lost[rows]] += np.float32(limit - min(self._tuning.lost_limit, limit))
        return cost, limit

    def box_cost(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime) -> FloatArray:
        """Return the distance of boxes grown by the time since each person was last seen."""
        unseen_s = (now.frame - tracklets.last_frames[rows]) / self._frame_rate
        scales = (1 + 2 * self._tuning.growth_per_s * unseen_s).astype(np.float32)
        return costs.buffered_iou_distance(tracklets.boxes(rows), candidates.boxes, scales, self._tuning.height_power)
