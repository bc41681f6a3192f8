"""Association method ``auto``: one method for any detector, camera and frame rate, with embeddings or without.

The stages are those of BYTE (arXiv 2110.06864). What depends on the detector or the camera is measured in the video
instead of set by the user, in constant memory: the scale of the scores, the motion of the camera, the noise of heights,
and how well embeddings tell people apart. The motion model runs in seconds, and boxes grow with the time since a person
was last seen. docs/association.md explains every part and shows what it contributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..values import Measured
from . import costs, kalman
from .appearance import AppearanceModel
from .byte import NEW_TRACK_MARGIN
from .camera import CameraMotion
from .candidates import Candidates
from .height_noise import HeightNoise
from .rules import GROWTH_PER_S, Rules, UpdateTime
from .score_scale import LOWEST_MEDIAN, ScoreScale
from .tracklet import Tracklets

if TYPE_CHECKING:
    from .config import TrackerConfig

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

_UNIT_S = 1 / 30  # the filter's unit of time at any frame rate; `Tuning.noise` is per this unit
_CAMERA_MEMORY_FRAMES = 2  # tracklets last seen before that no longer show how the camera moves
_SURE_FRAMES = 5  # tracklets of this age are taken for people when scores, heights and embeddings are measured
_YOUNG_FRAMES = 60  # older tracklets' scores are not measured: a false alarm that lasts must not outweigh people
_TYPICAL_SCORE = 0.5  # of a tracked person, for FairMOT's weights; the video's own takes its place


class Tuning(NamedTuple):
    """Constants chosen on data; ``benchmarks/association.py`` tries others.

    Attributes:
        high_share: Detections above this share of the median score of tracked people take part in the first stage.
        start_share: A track starts from a detection of at least this share of it.
        confirm_score_sum: A track is reported once the scores of its detections add up to this.
        lowest_score: Lower bound, exclusive, on scores that are used at all.
        first_stage_limit: Largest cost of a match in the first stage.
        lost_margin: Amount by which the largest cost of a match is lower for lost tracklets, whose grown boxes overlap
            strangers more easily.
        second_stage_limit: Largest cost of a match in the second stage.
        growth_per_s: Growth of a box in each direction per unseen second, as a share of its width and height.
        appearance_weight: Change of the cost if embeddings are surely of one person (less) or of two (more).
        noise: Noise of the Kalman filter. People change their velocity more slowly than deep_sort's 1/160 assumes, and
            detections jitter more than its 1/20; a smoother velocity predicts a hidden person further. The width
            follows the detections, while deep_sort's aspect hardly moves.
    """

    high_share: float = 0.6
    start_share: float = 0.9
    confirm_score_sum: float = 1.5
    lowest_score: float = 0.1
    first_stage_limit: float = 0.75
    lost_margin: float = 0.1
    second_stage_limit: float = 0.5
    growth_per_s: float = GROWTH_PER_S
    appearance_weight: float = 0.3
    noise: kalman.Noise = kalman.Noise(velocity=1 / 240, measurement=0.06, aspect=0.03, aspect_measurement=0.03)


class AutoRules(Rules):
    """Rules of ``auto``.

    Args:
        config: Settings of the tracker. Thresholds of scores that are not None replace those measured in the video.
        frame_rate: Frames per second of the source.
        tuning: Constants that no user needs to set.

    Attributes:
        scores: Median score of tracked people.
        camera: Motion of the camera.
        heights: Noise of measured heights.
        appearance: Distances of embeddings.
    """

    matches_low_scores = True
    reenters = True

    def __init__(self, config: TrackerConfig, frame_rate: float, tuning: Tuning = Tuning()) -> None:  # noqa: B008
        self.noise = tuning.noise
        self.second_stage_limit = tuning.second_stage_limit
        self.confirm_score_sum = tuning.confirm_score_sum
        self.scores = ScoreScale(_TYPICAL_SCORE)
        self.camera = CameraMotion()
        self.heights = HeightNoise()
        self.appearance = AppearanceModel()
        self._tuning = tuning
        self._config = config
        self._frame_rate = frame_rate
        self._set_scores()

    @property
    def measured(self) -> Measured:
        """Measurements of the video so far."""
        return Measured(
            person_score=self.scores.measured,
            camera_motion=self.camera.measured,
            height_noise=self.heights.measured,
            appearance=self.appearance.measured,
        )

    @property
    def least_score(self) -> float:
        """Lower bound on `lowest_score`, which follows the scores of tracked people."""
        low, high = self._config.low_conf_thres, self._config.conf_thres
        least_high = self._tuning.high_share * LOWEST_MEDIAN if high is None else high
        return min(self._tuning.lowest_score if low is None else low, least_high)

    def split(self, scores: FloatArray) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which scores are high and which are low; new thresholds apply from here on."""
        self.scores.see(scores)
        self._set_scores()
        return super().split(scores)

    def predict(self, tracklets: Tracklets, candidates: Candidates, now: UpdateTime) -> None:
        """Move all tracklets by their own motion, then by the camera's."""
        time = now.elapsed_frames / self._frame_rate / _UNIT_S
        tracklets.predict(np.arange(len(tracklets)), time, self.noise)
        previous_frame = now.frame - now.elapsed_frames
        recent = np.flatnonzero(tracklets.last_frames > previous_frame - _CAMERA_MEMORY_FRAMES)
        tracklets.mean[:, :2] += self.camera.estimate(tracklets.boxes(recent), candidates.boxes)

    def first_stage_cost(
        self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime
    ) -> tuple[FloatArray, float]:
        """Return the distance of boxes, changed by what the embeddings say about pairs whose grown boxes overlap.

        The cost of lost tracklets is raised by `Tuning.lost_margin`.
        """
        cost = self.box_cost(tracklets, rows, candidates, now)
        if tracklets.embeddings.shape[1]:
            for block in costs.row_blocks(*cost.shape):
                self._add_evidence(cost[block], tracklets.embeddings[rows[block]], candidates.embeddings)
        cost[tracklets.lost[rows]] += np.float32(self._tuning.lost_margin)
        return cost, self._tuning.first_stage_limit

    def _add_evidence(self, cost: FloatArray, tracked: FloatArray, found: FloatArray) -> None:
        """Change the costs ``(N, M)`` of pairs whose grown boxes overlap, in place, by what their embeddings say."""
        near = np.flatnonzero(cost < 1)
        distance = costs.cosine_distance_of_pairs(tracked, found, near)
        evidence = 1 - 2 * self.appearance.probability(distance)  # from -1: one person, to 1: two people
        cost.ravel()[near] += self._tuning.appearance_weight * evidence

    def box_cost(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime) -> FloatArray:
        """Return the distance of boxes grown by the time since each person was last seen."""
        unseen_s = (now.frame - tracklets.last_frames[rows]) / self._frame_rate
        scales = (1 + 2 * self._tuning.growth_per_s * unseen_s).astype(np.float32)
        return costs.buffered_iou_distance(tracklets.boxes(rows), candidates.boxes, scales, self.heights.exponent)

    def observe(self, tracklets: Tracklets, rows: IntArray, candidates: Candidates, now: UpdateTime) -> None:
        """Measure scores, heights and embeddings on the people who are surely tracked."""
        sure = tracklets.confirmed[rows] & ~tracklets.lost[rows]
        sure &= now.frame - tracklets.first_frames[rows] >= _SURE_FRAMES
        if not sure.any():
            return
        if not sure.all():
            rows, candidates = rows[sure], candidates.take(sure)
        self.scores.add(candidates.scores[now.frame - tracklets.first_frames[rows] < _YOUNG_FRAMES])
        self._set_scores()
        self.heights.add(tracklets.mean[rows, 3], candidates.measurements[:, 3])
        if tracklets.embeddings.shape[1]:
            self.appearance.add(tracklets.embeddings[rows], candidates.embeddings)

    def _set_scores(self) -> None:
        """Derive the score thresholds from the median score of tracked people, unless the user set them."""
        config, tuning, typical = self._config, self._tuning, self.scores.median
        low, high = config.low_conf_thres, config.conf_thres
        self.high_score = tuning.high_share * typical if high is None else high
        self.new_track_score = tuning.start_share * typical if high is None else high + NEW_TRACK_MARGIN
        self.lowest_score = min(tuning.lowest_score if low is None else low, self.high_score)
