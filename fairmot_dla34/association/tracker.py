"""Tracker that joins the detections of consecutive frames into tracks with ids.

The stages are those of PaddleDetection's ``JDETracker`` (``ppdet/modeling/mot/tracker/jde_tracker.py``), and the filter
on reported tracks is that of ``_eval_seq_jde`` (``ppdet/engine/tracker.py``). Deliberate differences are listed in
``docs/association.md``.
"""

from __future__ import annotations

import logging
import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..config import DEFAULT_FRAME_RATE, check_frame_rate, is_number, shown
from ..errors import InvalidInputError
from ..values import Detections, Measured, Track
from . import costs
from .assignment import assign
from .candidates import Candidates, candidates_from
from .config import TrackerConfig
from .frame_counter import FrameCounter
from .lifecycle import drop_unseen_since, finish_frame, without_duplicates, without_excess
from .reentry import ReEntry
from .registry import find_method
from .report import give_ids, reported_rows, tracks_of
from .rules import Rules, UpdateTime
from .tracklet import Tracklets

logger = logging.getLogger(__name__)

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]


class Tracker:
    """Joins the detections of consecutive frames into tracks.

    A frame goes through four stages. Each takes what the previous one left over:

    1. Confirmed tracklets, tracked or lost, are matched with detections by embedding and motion, or by boxes.
    2. Tracklets that were tracked in the previous frame are matched by boxes: in ``jde`` with the same detections, in
       the other methods with detections of low score.
    3. Tracklets seen once so far are matched by boxes with the remaining detections that are not of low score.
    4. Each detection left over starts a new tracklet.

    In every tracker, ids are 1, 2, 3, ... in the order in which tracks are first reported. Memory depends on the people
    in view and in the lost buffer, not on the length of the video, and is bounded: of a frame, the 2,000 detections of
    the highest scores are used, and at most 10,000 tracked or lost people are kept; the first time that others are left
    out is logged as a warning. Trackers share nothing; a tracker serves one thread at a time.

    Args:
        config: Settings; the defaults are PaddleDetection's for FairMOT.
        frame_rate: Frames per second of the source, before any stride. One frame is the unit of time; with ``time_s``,
            the time between two updates is counted in it.

    Raises:
        InvalidInputError: The settings are not a `TrackerConfig`, or the frame rate is not a number from 0.001 to
            100000.
    """

    def __init__(self, config: TrackerConfig | None = None, frame_rate: float = DEFAULT_FRAME_RATE) -> None:
        self._config = TrackerConfig() if config is None else config
        if not isinstance(self._config, TrackerConfig):
            raise InvalidInputError(f"config is {shown(config)}; expected a TrackerConfig, or None for its defaults.")
        self._frame_rate = check_frame_rate(frame_rate)
        # Rounded down as int() does in JDETracker; 1e-6 keeps 0.29 s at 100 frames/s from becoming 28 frames.
        self._lost_buffer = math.floor(min(self._config.buffer_s * self._frame_rate, 1e9) + 1e-6)
        self._reid_buffer = math.floor(min(self._config.reid_buffer_s * self._frame_rate, 1e9) + 1e-6)
        self._warned_of_candidates = self._warned_of_tracklets = False
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
        return self._tracklets.nbytes + (self._reentry.gallery.nbytes if self._reentry else 0)

    @property
    def measured(self) -> Measured:
        """Measurements that the method made in the video so far."""
        return self._rules.measured

    @property
    def lowest_score(self) -> float:
        """Lower bound, exclusive, on the scores that the method uses, as it stands after the latest frame."""
        return self._rules.lowest_score

    @property
    def least_score(self) -> float:
        """Lower bound on `lowest_score` in every frame of any video, as far as the method knows one."""
        return self._rules.least_score

    def reset(self) -> None:
        """Remove all tracks: the next frame is the first one of a new video, and ids start at 1 again."""
        self._rules: Rules = find_method(self._config.method).make_rules(self._config, self._frame_rate)
        # After a step of this size every tracklet has left the lost buffer, and nobody's id is kept any more.
        self._frames = FrameCounter(self._frame_rate, max_step=self._lost_buffer + self._reid_buffer + 3)
        self._now = UpdateTime(frame=0, elapsed_frames=1)
        self._next_number = 1
        self._next_id = 1
        self._embedding_size: int | None = None  # set by the first frame with detections
        self._tracklets = Tracklets.empty(0)
        keep_frames = self._lost_buffer + self._reid_buffer
        self._reentry = ReEntry(self._frame_rate, keep_frames) if self._config.reid_buffer_s > 0 else None

    def update(self, detections: Detections, time_s: float | None = None) -> tuple[Track, ...]:
        """Process the next frame. Call it for frames without detections too.

        Args:
            detections: Detections of the frame, boxes in image px; not changed.
            time_s: Time of the frame in seconds. None: one frame after the previous update. The time since the previous
                update is rounded to whole frames of ``frame_rate``, at least one, so times that repeat or go back count
                as one frame.

        Returns:
            The confirmed tracks matched in this frame: first those tracked before, longest first, then those found
            again.

        Raises:
            InvalidInputError: ``detections`` is not a `Detections`, the method or ``reid_buffer_s`` needs embeddings
                and there are none, embeddings changed their size, or the time is not finite. The state of the tracker
                is unchanged.
        """
        detections = self._checked(detections, time_s)
        self._start_frame(detections, time_s)
        config, rules, tracklets = self._config, self._rules, self._tracklets
        high, low = self._candidates(detections)
        confirmed = np.flatnonzero(tracklets.confirmed)
        unconfirmed = np.flatnonzero(~tracklets.confirmed)
        was_lost = tracklets.lost.copy()
        rules.predict(tracklets, high, self._now)

        unmatched, left = self._match_first_stage(confirmed, high)
        unmatched = unmatched[~was_lost[unmatched]]
        if rules.matches_low_scores:
            unmatched, _ = self._match_boxes(unmatched, low, rules.second_stage_limit)
        else:
            unmatched, left = self._match_boxes(unmatched, left, rules.second_stage_limit)
        tracklets.lost[unmatched] = True
        dropped, left = self._match_boxes(unconfirmed, left, config.unconfirmed_thresh)

        self._start_tracklets(left)
        finished = finish_frame(
            self._tracklets, was_lost, dropped, frame=self._now.frame, lost_buffer=self._lost_buffer
        )
        kept = self._without_excess(finished)
        self._people_leave(kept)
        self._tracklets = without_duplicates(kept)
        if self._reentry is not None:
            self._reentry.gallery.forget(kept, self._tracklets)
        rows = reported_rows(self._tracklets, config)
        if self._reentry is not None:
            self._reentry.give_old_ids(self._tracklets, rows, self._now.frame)
        self._next_id = give_ids(self._tracklets, rows, self._next_id)
        if self._reentry is not None:
            self._reentry.gallery.look(self._tracklets, rows, self._now.frame)
        return tracks_of(self._tracklets, rows, self._now.frame)

    def _checked(self, detections: Detections, time_s: float | None) -> Detections:
        """Return the detections to use, after a check that the state can take them. Nothing is changed."""
        if not isinstance(detections, Detections):
            raise InvalidInputError(
                f"detections is {shown(detections)}; expected Detections(boxes, scores), empty if there are none: "
                "Detections([], [])."
            )
        if time_s is not None and not is_number(time_s):
            raise InvalidInputError(f"time_s is {shown(time_s)}; expected a finite number of seconds, or None.")
        if not self._config.use_embeddings and detections.embeddings is not None:
            detections = replace(detections, embeddings=None)
        if not len(detections):
            return detections
        size = _embedding_size(detections)
        if self._rules.needs_embeddings and size == 0:
            raise InvalidInputError(
                f"Detections have no embeddings, which method={self._config.method!r} matches by; pass embeddings of "
                f'shape ({len(detections)}, E), or use TrackerConfig(method="auto") or "byte", which work without.'
            )
        if self._reentry is not None and size == 0:
            raise InvalidInputError(
                f"Detections have no embeddings, which reid_buffer_s={self._config.reid_buffer_s:g} compares; pass "
                f"embeddings of shape ({len(detections)}, E), or use reid_buffer_s=0."
            )
        if self._embedding_size not in {None, size}:
            raise InvalidInputError(
                f"Detections have embeddings of {size} numbers, earlier frames had {self._embedding_size} (0: none); "
                "pass the same kind in every frame, or call reset() between videos."
            )
        return detections

    def _start_frame(self, detections: Detections, time_s: float | None) -> None:
        """Advance the time; the first frame with ``detections``, which are valid, sets the embedding size."""
        if self._embedding_size is None and len(detections):
            self._embedding_size = _embedding_size(detections)
            self._tracklets = Tracklets.empty(self._embedding_size)
        elapsed_frames = self._frames.advance(time_s)
        self._now = UpdateTime(self._frames.frame, elapsed_frames)
        if elapsed_frames > 1:
            kept = drop_unseen_since(self._tracklets, self._now.frame - self._lost_buffer - 2)
            self._people_leave(kept)
            self._tracklets = kept

    def _candidates(self, detections: Detections) -> tuple[Candidates, Candidates]:
        """Return the detections of high score, and those of low score."""
        candidates = candidates_from(detections, self._rules.lowest_score, self._embedding_size or 0)
        if candidates.left_out and not self._warned_of_candidates:
            self._warned_of_candidates = True
            logger.warning(
                "A frame has %d detections; only the %d of the highest scores are tracked, in this and later frames",
                len(candidates) + candidates.left_out,
                len(candidates),
            )
        high, low = self._rules.split(candidates.scores)
        return candidates.take(high), candidates.take(low)

    def _without_excess(self, tracklets: Tracklets) -> Tracklets:
        """Return at most ``MAX_TRACKLETS`` tracklets; the first time that others are dropped is logged."""
        kept = without_excess(tracklets)
        if len(kept) < len(tracklets) and not self._warned_of_tracklets:
            self._warned_of_tracklets = True
            logger.warning(
                "%d tracks are tracked or lost; only %d are kept: those lost for the longest time get a new id",
                len(tracklets),
                len(kept),
            )
        return kept

    def _people_leave(self, kept: Tracklets) -> None:
        """Keep the ids of the tracklets that are not in ``kept`` for people who come back."""
        if self._reentry is not None:
            self._reentry.gallery.leave(self._tracklets, kept)

    def _match_first_stage(self, rows: IntArray, candidates: Candidates) -> tuple[IntArray, Candidates]:
        """Match ``rows`` with candidates by the first stage of the method; return what is left over of both."""
        if not len(rows) or not len(candidates):
            return rows, candidates
        cost, limit = self._rules.first_stage_cost(self._tracklets, rows, candidates, self._now)
        return self._match(rows, candidates, cost, limit)

    def _match_boxes(self, rows: IntArray, candidates: Candidates, limit: float) -> tuple[IntArray, Candidates]:
        """Match ``rows`` with candidates by boxes; return what is left over of both."""
        if not len(rows) or not len(candidates):
            return rows, candidates
        cost = self._rules.box_cost(self._tracklets, rows, candidates, self._now)
        return self._match(rows, candidates, cost, limit)

    def _match(
        self, rows: IntArray, candidates: Candidates, cost: FloatArray, limit: float
    ) -> tuple[IntArray, Candidates]:
        """Assign candidates and update the matched tracklets; return what is left over of both."""
        cost = costs.forbid_other_classes(cost, self._tracklets.class_ids[rows], candidates.class_ids)
        assignment = assign(cost, limit)
        matched = candidates.take(assignment.columns)
        matched_rows, rules = rows[assignment.rows], self._rules
        rules.observe(self._tracklets, matched_rows, matched, self._now)
        self._tracklets.update(matched_rows, matched, self._now.frame, rules.noise, rules.confirm_score_sum)
        return rows[assignment.unmatched_rows], candidates.take(assignment.unmatched_columns)

    def _start_tracklets(self, candidates: Candidates) -> None:
        """Start a tracklet for every candidate of sufficient score. Those of the first frame are confirmed at once."""
        # In float64, as the reference compares them: a float32 score of 0.7 is below 0.7.
        candidates = candidates.take(candidates.scores.astype(np.float64) >= self._rules.new_track_score)
        if not len(candidates):
            return
        frame = self._now.frame
        started = Tracklets.start(candidates, self._next_number, frame, self._rules.noise)
        started.confirmed[:] = frame == 1
        self._next_number += len(started)
        self._tracklets = self._tracklets.joined(started)


def _embedding_size(detections: Detections) -> int:
    """Return E, the numbers per embedding; 0 without embeddings."""
    return 0 if detections.embeddings is None else detections.embeddings.shape[1]
