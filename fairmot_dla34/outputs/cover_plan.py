"""Decides which boxes of a frame are covered: those of tracks, of lost and future tracks, and of weak detections."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..geometry import iou
from .track_paths import TrackPaths

if TYPE_CHECKING:
    from ..values import Detections, FrameResult
    from .anonymisation import Anonymisation

Boxes = NDArray[np.float64]  # (N, 4) xyxy, image px

DELAY_S = 0.5
_LEAD_S = 0.4  # shorter than the delay, so that the velocity at the start is known
_MAX_DELAYED = 30  # frames: bounds the images that are held
_EPSILON_S = 1e-6  # times are sums
_LOW_SCORE = 0.1
_SPREAD_S = 0.2  # a detection covers its place for this time before and after it: weak ones flicker
_SAME_PERSON_IOU = 0.5


@dataclass(frozen=True)
class Covered:
    """A result with the people to cover.

    Attributes:
        result: The frame's result.
        boxes: ``(N, 4)`` float64, xyxy, image px, unclipped: boxes of people, without a margin.
        errors_px: ``(N,)`` float64: error of each box to expect along x; half of it along y.
        heads_only: Whether only their heads are covered.
    """

    result: FrameResult
    boxes: Boxes
    errors_px: NDArray[np.float64]
    heads_only: bool


@dataclass(frozen=True)
class _Pending:
    result: FrameResult
    time_s: float  # of the plan
    detected: Boxes  # those of a score that may be a person's


class CoverPlan:
    """Plans which boxes are covered; results are delayed, so that a track is also covered before its start.

    Covered are

    - the tracks of the frame;
    - a track without a box: at its interpolated place between two boxes, else for the lost buffer where it was last and
      where its velocity leads, with a margin that grows;
    - a new track, for 0.4 s before its start;
    - unless only some ids are covered, every detection, also those of low score.

    Args:
        anonymisation: People to cover.
        frame_rate: Frames per second of the results.
        hold_s: Time in seconds for which a lost person stays covered: the tracker's lost buffer.
    """

    def __init__(self, anonymisation: Anonymisation, *, frame_rate: float, hold_s: float) -> None:
        self._anonymisation = anonymisation
        self._period_s = 1.0 / frame_rate
        self._time_s = self._source_s = 0.0  # of the newest result: in the plan, where it always increases, and given
        self._paths = TrackPaths(hold_s=hold_s, lead_s=_LEAD_S + _EPSILON_S)
        self._pending: deque[_Pending] = deque()
        self._recent: deque[_Pending] = deque()  # those already returned that may still cover

    def push(self, result: FrameResult, detections: Detections) -> list[Covered]:
        """Add the next result.

        Args:
            result: Tracks of the frame.
            detections: All detections of the frame, with those of low score.

        Returns:
            The results that are now complete, in order.
        """
        elapsed_s = result.time_s - self._source_s
        self._source_s = result.time_s
        self._time_s += elapsed_s if elapsed_s > 0 else self._period_s
        self._paths.add(result.tracks, self._time_s)
        detected = np.zeros((0, 4))
        if self._anonymisation.covers_unknown and len(detections):
            rows = (detections.scores >= _LOW_SCORE) & np.isfinite(detections.boxes).all(axis=1)
            detected = detections.boxes[rows].astype(np.float64)
        self._pending.append(_Pending(result, self._time_s, detected))
        complete = []
        while len(self._pending) > _MAX_DELAYED or self._pending[0].time_s <= self._time_s - DELAY_S + _EPSILON_S:
            complete.append(self._next())
        return complete

    def flush(self) -> list[Covered]:
        """Return the results that are still delayed, in order, at the end of the video."""
        return [self._next() for _ in range(len(self._pending))]

    def _next(self) -> Covered:
        now = self._pending.popleft()
        time_s = now.time_s
        self._recent.append(now)
        while self._recent[0].time_s < time_s - _SPREAD_S:
            self._recent.popleft()
        self._paths.forget_before(self._recent[0].time_s)
        near = [other for other in (*self._recent, *self._pending) if other.time_s <= time_s + _SPREAD_S]
        places = self._paths.at(time_s)
        covered = [place for track_id, of in places.items() if self._anonymisation.covers(track_id) for place in of]
        boxes = np.concatenate([np.reshape([place.box for place in covered], (-1, 4)), *map(self._unknown, near)])
        errors_px = np.zeros(len(boxes))
        errors_px[: len(covered)] = [place.error_px for place in covered]
        return Covered(now.result, boxes, errors_px, self._anonymisation.heads_only)

    def _unknown(self, pending: _Pending) -> Boxes:
        """Return a frame's detections, without those of people who stay visible."""
        if not self._anonymisation.ids or not len(pending.detected):
            return pending.detected
        places = self._paths.at(pending.time_s, only_between=True)
        visible = [place.box for track_id, (place,) in places.items() if not self._anonymisation.covers(track_id)]
        covered = [place.box for track_id, (place,) in places.items() if self._anonymisation.covers(track_id)]
        of_visible, of_covered = _largest_iou(pending.detected, visible), _largest_iou(pending.detected, covered)
        return pending.detected[(of_visible < _SAME_PERSON_IOU) | (of_covered >= of_visible)]


def _largest_iou(boxes: Boxes, others: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the largest IoU of each box with any of the others, ``(N,)``; 0 without others."""
    if not others:
        return np.zeros(len(boxes))
    largest: NDArray[np.float64] = iou(boxes, np.stack(others)).max(axis=1)
    return largest
