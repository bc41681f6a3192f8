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
from . import costs
from .assignment import assign
from .candidates import Candidates, candidates_from
from .clock import Clock
from .lifecycle import forget_unseen, settle, without_duplicates
from .rules import JdeRules, Moment, Rules
from .steady import SteadyRules
from .tracklet import Tracklets

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

_BYTE_NEW_TRACK_MARGIN = 0.1  # BYTE: a new track needs conf_thres + this, jde_tracker.py


class Tracker:
    """Joins the detections of consecutive frames into tracks.

    One frame goes through four stages, each taking what the one before left over:

    1. confirmed tracklets, tracked or lost, with detections: by embedding and motion, or by boxes without embeddings;
    2. tracklets that were tracked in the frame before, by boxes: ``jde`` with the same detections, the others with
       those of low score;
    3. tracklets seen once so far, by boxes, with the detections that the first (``jde``: the second) stage left;
    4. detections still left begin new tracklets.

    Ids begin at 1 in every tracker. Memory depends on the people in view and in the lost buffer, not on the length of
    the video. Nothing is shared between trackers; one tracker serves one thread at a time.

    Args:
        config: Settings; the defaults are PaddleDetection's for FairMOT.
        frame_rate: Frames per second of the source, before frames are left out. One frame is the unit of time: with
            ``time_s``, the time between two updates counts in it.

    Raises:
        InvalidInputError: The frame rate is not a finite number above 0.
    """

    def __init__(self, config: TrackerConfig | None = None, frame_rate: float = DEFAULT_FRAME_RATE) -> None:
        self._config = TrackerConfig() if config is None else config
        self._frame_rate = check_frame_rate(frame_rate)
        # rounded down as int() does there; the hair keeps 0.29 s at 100 frames/s from becoming 28
        self._lost_buffer = math.floor(min(self._config.buffer_s * self._frame_rate, 1e9) + 1e-6)
        rules = SteadyRules if self._config.method == "steady" else JdeRules
        self._rules: Rules = rules(self._config, self._frame_rate)
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
        self._clock = Clock(self._frame_rate, longest=self._lost_buffer + 3)  # after so many, everyone is forgotten
        self._now = Moment(0, 1)
        self._next_id = 1
        self._embedding_size: int | None = None  # decided by the first frame with detections
        self._tracklets = Tracklets.none(0)

    def update(self, detections: Detections, time_s: float | None = None) -> tuple[Track, ...]:
        """Take the next frame's detections. Call it for frames without detections too.

        Args:
            detections: What was found, boxes in image px; not changed.
            time_s: The frame's time in seconds; None: one frame after the last. Time since the last update is rounded
                to whole frames of ``frame_rate``, at least one, so times that repeat or go back are taken as that.

        Returns:
            The confirmed tracks matched in this frame: those tracked longest first, then those found again.

        Raises:
            InvalidInputError: ``jde`` got no embeddings, embeddings changed their size, or the time is not finite. The
                tracker is left as it was.
        """
        self._check(detections, time_s)
        passed = self._clock.advance(time_s)
        self._now = now = Moment(self._clock.frame, passed)
        high, low = self._candidates(detections)
        if passed > 1:
            self._tracklets = forget_unseen(self._tracklets, now.frame - self._lost_buffer - 2)
        tracklets = self._tracklets
        pool = np.flatnonzero(tracklets.confirmed)
        unconfirmed = np.flatnonzero(~tracklets.confirmed)
        was_lost = tracklets.lost.copy()
        self._rules.predict(tracklets, high, now)

        pool, left = self._first_stage(pool, high)
        pool = pool[~was_lost[pool]]
        if self._config.method == "jde":
            pool, left = self._stage(pool, left, self._config.r_tracked_thresh)
        else:
            pool, _ = self._stage(pool, low, self._rules.low_score_limit)
        tracklets.lost[pool] = True
        dropped, left = self._stage(unconfirmed, left, self._config.unconfirmed_thresh)

        self._begin(left)
        self._tracklets = without_duplicates(
            settle(self._tracklets, was_lost, dropped, frame=now.frame, lost_buffer=self._lost_buffer)
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
                f'({len(detections)}, E), or use TrackerConfig(method="byte") or "steady", which work without.'
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
        """Detections above ``conf_thres``, and those between the two thresholds (both exclusive)."""
        config = self._config
        lowest = config.conf_thres if config.method == "jde" else min(config.low_conf_thres, config.conf_thres)
        candidates = candidates_from(detections, lowest, self._embedding_size or 0)
        scores = candidates.scores
        low = (scores > config.low_conf_thres) & (scores < config.conf_thres)
        return candidates.take(scores > config.conf_thres), candidates.take(low)

    def _first_stage(self, rows: IntArray, candidates: Candidates) -> tuple[IntArray, Candidates]:
        """Match ``rows`` with candidates as the method does first; return what is left over of both."""
        if not len(rows) or not len(candidates):
            return rows, candidates
        cost, limit = self._rules.first_cost(self._tracklets, rows, candidates, self._now)
        return self._match(rows, candidates, cost, limit)

    def _stage(self, rows: IntArray, candidates: Candidates, limit: float) -> tuple[IntArray, Candidates]:
        """Match ``rows`` with candidates by boxes; return what is left over of both."""
        if not len(rows) or not len(candidates):
            return rows, candidates
        cost = self._rules.box_cost(self._tracklets, rows, candidates, self._now)
        return self._match(rows, candidates, cost, limit)

    def _match(
        self, rows: IntArray, candidates: Candidates, cost: FloatArray, limit: float
    ) -> tuple[IntArray, Candidates]:
        """Assign and update the matched tracklets; return what is left over of both."""
        cost = costs.forbid_other_classes(cost, self._tracklets.class_ids[rows], candidates.class_ids)
        matched = assign(cost, limit)
        found = candidates.take(matched.columns)
        self._tracklets.update(rows[matched.rows], found, self._now.frame, self._rules.noise)
        return rows[matched.unmatched_rows], candidates.take(matched.unmatched_columns)

    def _begin(self, candidates: Candidates) -> None:
        """Begin a tracklet for every candidate of sufficient score; in the first frame they are confirmed at once."""
        jde, frame = self._config.method == "jde", self._now.frame
        threshold = self._config.det_thresh if jde else self._config.conf_thres + _BYTE_NEW_TRACK_MARGIN
        # in float64, as the reference compares them: a float32 score of 0.7 is below 0.7
        candidates = candidates.take(candidates.scores.astype(np.float64) >= threshold)
        if not len(candidates):
            return
        begun = Tracklets.begin(candidates, self._next_id, frame, self._rules.noise)
        begun.confirmed[:] = (candidates.scores >= self._rules.sure_score) | (frame == 1)
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
            (self._now.frame - tracklets.first_frames[rows]).tolist(),
            tracklets.class_ids[rows].tolist(),
        )
        return tuple(Track(*values) for values in zip(*columns, strict=True))
