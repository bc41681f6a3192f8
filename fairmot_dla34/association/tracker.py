"""The association: detections of one frame after another in, tracks with ids out.

The rules are those of PaddleDetection's ``JDETracker`` (``ppdet/modeling/mot/tracker/jde_tracker.py``) and of its BYTE
variant, with the filter on what is reported from ``_eval_seq_jde`` in ``ppdet/engine/tracker.py``. Deliberate
differences are listed in ``docs/association.md``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..config import DEFAULT_FRAME_RATE, TrackerConfig, check_frame_rate
from ..errors import InvalidInputError
from ..values import Detections, Track
from . import costs, kalman
from .assignment import assign
from .candidates import Candidates, candidates_from
from .lifecycle import settle, without_duplicates
from .tracklet import Tracklets

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

_LOW_SCORE_LIMIT = 0.4  # largest IoU distance in BYTE's second pass, a constant in jde_tracker.py
_BYTE_NEW_TRACK_MARGIN = 0.1  # BYTE: a new track needs conf_thres + this, jde_tracker.py


class Tracker:
    """Joins the detections of consecutive frames into tracks.

    One frame goes through four stages, each taking what the one before left over:

    1. confirmed tracklets, tracked or lost, with detections: by embedding and motion, or by IoU without embeddings;
    2. tracklets that were tracked in the frame before, by IoU: ``jde`` with the same detections, ``byte`` with those of
       low score;
    3. tracklets seen once so far, with the detections left by the first (``byte``) or second (``jde``) stage, by IoU;
    4. detections still left begin new tracklets.

    Ids begin at 1 in every tracker. Memory depends on the people in view and in the lost buffer, not on the length of
    the video. Nothing is shared between trackers; one tracker serves one thread at a time.

    Args:
        config: Settings; the defaults are PaddleDetection's for FairMOT.
        frame_rate: Frames per second that ``update`` will see; turns ``config.lost_buffer_s`` into frames.

    Raises:
        InvalidInputError: The frame rate is not a finite number above 0.
    """

    def __init__(self, config: TrackerConfig | None = None, frame_rate: float = DEFAULT_FRAME_RATE) -> None:
        self._config = TrackerConfig() if config is None else config
        self._frame_rate = check_frame_rate(frame_rate)
        # rounded down as int() does there; the hair keeps 0.29 s at 100 frames/s from becoming 28
        self._lost_buffer = math.floor(min(self._config.lost_buffer_s * self._frame_rate, 1e9) + 1e-6)
        self.reset()

    @property
    def config(self) -> TrackerConfig:
        """The settings."""
        return self._config

    @property
    def frame_rate(self) -> float:
        """Frames per second."""
        return self._frame_rate

    @property
    def nbytes(self) -> int:
        """Size of the state in bytes."""
        return self._tracklets.nbytes

    def reset(self) -> None:
        """Forget everything: the next frame is the first one of a new video, and ids begin at 1 again."""
        self._frame = 0
        self._next_id = 1
        self._embedding_size: int | None = None  # decided by the first frame with detections
        self._tracklets = Tracklets.none(0)

    def update(self, detections: Detections, time_s: float | None = None) -> tuple[Track, ...]:
        """Take the next frame's detections. Call it for frames without detections too.

        Args:
            detections: What was found, boxes in image px; not changed.
            time_s: The frame's time in seconds. Checked only: frames are taken as equally spaced.

        Returns:
            The confirmed tracks matched in this frame: those tracked longest first, then those found again.

        Raises:
            InvalidInputError: ``jde`` got no embeddings, embeddings changed their size, or the time is not finite. The
                tracker is left as it was.
        """
        self._check(detections, time_s)
        self._frame += 1
        high, low = self._candidates(detections)
        tracklets = self._tracklets
        pool = np.flatnonzero(tracklets.confirmed)
        unconfirmed = np.flatnonzero(~tracklets.confirmed)
        was_lost = tracklets.lost.copy()
        tracklets.predict(pool)

        pool, left = self._first_stage(pool, high)
        pool = pool[~was_lost[pool]]
        if self._config.method == "byte":
            pool, _ = self._stage(pool, low, _LOW_SCORE_LIMIT)
        else:
            pool, left = self._stage(pool, left, self._config.r_tracked_thresh)
        tracklets.lost[pool] = True
        dropped, left = self._stage(unconfirmed, left, self._config.unconfirmed_thresh)

        self._begin(left)
        self._tracklets = without_duplicates(
            settle(self._tracklets, was_lost, dropped, frame=self._frame, lost_buffer=self._lost_buffer)
        )
        return self._report()

    def _check(self, detections: Detections, time_s: float | None) -> None:
        """Refuse what the state cannot take, before anything changes."""
        if time_s is not None and not math.isfinite(time_s):
            raise InvalidInputError(f"time_s is {time_s}; expected a finite number of seconds, or None.")
        if not len(detections):
            return
        size = 0 if detections.embeddings is None else detections.embeddings.shape[1]
        if self._config.method == "jde" and size == 0:
            raise InvalidInputError(
                "Detections have no embeddings, which method='jde' matches by; pass embeddings of shape "
                f'({len(detections)}, E), or use TrackerConfig(method="byte"), which works without.'
            )
        if self._embedding_size is None:
            self._embedding_size = size
            self._tracklets = Tracklets.none(size)
        if size != self._embedding_size:
            raise InvalidInputError(
                f"Detections have embeddings of {size} numbers, earlier frames had {self._embedding_size} (0: none); "
                "pass the same kind in every frame, or call reset() between videos."
            )

    def _candidates(self, detections: Detections) -> tuple[Candidates, Candidates]:
        """Detections above ``conf_thres``, and for ``byte`` those between the two thresholds (both exclusive)."""
        config = self._config
        lowest = config.conf_thres if config.method == "jde" else min(config.low_conf_thres, config.conf_thres)
        candidates = candidates_from(detections, lowest, self._embedding_size or 0)
        scores = candidates.scores
        low = (scores > config.low_conf_thres) & (scores < config.conf_thres)
        return candidates.take(scores > config.conf_thres), candidates.take(low)

    def _first_stage(self, rows: IntArray, candidates: Candidates) -> tuple[IntArray, Candidates]:
        """Match by embedding and motion, or by IoU where there are no embeddings; return what is left over."""
        if not self._embedding_size:
            return self._stage(rows, candidates, self._config.match_thres)
        tracklets = self._tracklets
        appearance = costs.cosine_distance(tracklets.embeddings[rows], candidates.embeddings)
        motion = kalman.gating_distance(tracklets.mean[rows], tracklets.covariance[rows], candidates.measurements)
        cost = costs.fuse_motion(appearance, motion, kalman.CHI2_95_4DOF)
        return self._match(rows, candidates, cost, self._config.tracked_thresh)

    def _stage(self, rows: IntArray, candidates: Candidates, limit: float) -> tuple[IntArray, Candidates]:
        """Match ``rows`` with candidates by IoU; return what is left over of both."""
        if not len(rows) or not len(candidates):
            return rows, candidates
        cost = costs.iou_distance(self._tracklets.boxes(rows), candidates.boxes)
        return self._match(rows, candidates, cost, limit)

    def _match(
        self, rows: IntArray, candidates: Candidates, cost: FloatArray, limit: float
    ) -> tuple[IntArray, Candidates]:
        """Assign and update the matched tracklets; return what is left over of both."""
        cost = costs.forbid_other_classes(cost, self._tracklets.class_ids[rows], candidates.class_ids)
        matched = assign(cost, limit)
        self._tracklets.update(rows[matched.rows], candidates.take(matched.columns), self._frame)
        return rows[matched.unmatched_rows], candidates.take(matched.unmatched_columns)

    def _begin(self, candidates: Candidates) -> None:
        """Begin a tracklet for every candidate of sufficient score; in the first frame they are confirmed at once."""
        byte = self._config.method == "byte"
        threshold = self._config.conf_thres + _BYTE_NEW_TRACK_MARGIN if byte else self._config.det_thresh
        # in float64, as the reference compares them: a float32 score of 0.7 is below 0.7
        candidates = candidates.take(candidates.scores.astype(np.float64) >= threshold)
        if not len(candidates):
            return
        begun = Tracklets.begin(candidates, self._next_id, self._frame)
        begun.confirmed[:] = self._frame == 1
        self._next_id += len(begun)
        self._tracklets = self._tracklets.joined(begun)

    def _report(self) -> tuple[Track, ...]:
        """The confirmed tracks of this frame whose estimated box has the size and shape asked for."""
        tracklets, config = self._tracklets, self._config
        rows = np.flatnonzero(tracklets.confirmed & ~tracklets.lost)
        aspect, height = tracklets.mean[rows, 2], tracklets.mean[rows, 3]
        shown = (height > 0) & (aspect * height * height > config.min_box_area)
        if config.vertical_ratio > 0:
            shown &= aspect <= config.vertical_ratio
        rows = rows[shown]
        columns = (
            tracklets.ids[rows].tolist(),
            map(tuple, tracklets.boxes(rows).tolist()),
            tracklets.scores[rows].tolist(),
            (self._frame - tracklets.first_frames[rows]).tolist(),
            tracklets.class_ids[rows].tolist(),
        )
        return tuple(Track(*values) for values in zip(*columns, strict=True))
