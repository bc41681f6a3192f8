"""Estimates where each track is at a time, from its boxes before and after it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..values import Track

Box = NDArray[np.float64]  # (4,) xyxy, image px

_VELOCITY_S = 0.5  # the time over which a velocity is measured
# Measured on the ground truth of MOT17 as the error of such an estimate of a person's centre, after 0.5, 1 and 2 s:
# with a still camera, of nine people in ten at most 0.07, 0.17 and 0.43 heights along x, and half of it along y; with a
# moving camera 0.6, 1.2 and 2.3. Other time constants from 0.25 s to none are not better on both kinds.
_MOVES_ON_S = 1.0
_GROWTH_PER_S = 0.2  # heights of the person
_MOST_GROWTH_S = 2.0


@dataclass(frozen=True)
class Estimate:
    """Place of a track at a time.

    Attributes:
        box: ``(4,)`` float64, xyxy, image px.
        error_px: Error to expect along x, half of it along y; 0 for a detected box.
    """

    box: Box
    error_px: float


@dataclass
class _Path:
    times: list[float] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)


class TrackPaths:
    """Recent boxes of every track, with estimates between, after and before them.

    Memory is bounded by the people seen during the kept time.

    Args:
        hold_s: Time in seconds for which a person who is not seen any more is estimated.
        lead_s: Time in seconds before the first box for which a person is estimated.
    """

    def __init__(self, *, hold_s: float, lead_s: float) -> None:
        self._hold_s, self._lead_s = hold_s, lead_s
        self._paths: dict[int, _Path] = {}

    def add(self, tracks: Iterable[Track], time_s: float) -> None:
        """Add the boxes of one frame; times increase."""
        for track in tracks:
            if all(map(math.isfinite, track.box)):
                path = self._paths.setdefault(track.track_id, _Path())
                path.times.append(time_s)
                path.boxes.append(np.array(track.box, np.float64))

    def forget_before(self, time_s: float) -> None:
        """Remove boxes that no estimate at ``time_s`` or later needs."""
        for track_id, path in list(self._paths.items()):
            if path.times[-1] < time_s - self._hold_s:
                del self._paths[track_id]
                continue
            newest_before = max(0, bisect_left(path.times, time_s) - 1)
            unused = bisect_left(path.times, path.times[newest_before] - _VELOCITY_S)
            del path.times[:unused], path.boxes[:unused]

    def at(self, time_s: float, *, only_between: bool = False) -> dict[int, tuple[Estimate, ...]]:
        """Return the places where each track may be at a time.

        Args:
            time_s: Time in seconds, not before that of the last `forget_before`.
            only_between: Leave out estimates before the first and after the last box.

        Returns:
            Estimates by id: one, or two if the person is lost, who may have walked on or stopped. It is the detected
            box, if there is one at that time.
        """
        estimates = {}
        for track_id, path in self._paths.items():
            places = self._places(path, time_s, only_between=only_between)
            if places:
                estimates[track_id] = places
        return estimates

    def _places(self, path: _Path, time_s: float, *, only_between: bool) -> tuple[Estimate, ...]:
        after = bisect_left(path.times, time_s)
        before = after - 1
        if after < len(path.times) and path.times[after] == time_s:
            return (Estimate(path.boxes[after], 0.0),)
        since = time_s - path.times[before] if before >= 0 else math.inf
        until = path.times[after] - time_s if after < len(path.times) else math.inf
        if since + until <= self._hold_s:
            share = since / (since + until)
            between = (1 - share) * path.boxes[before] + share * path.boxes[after]
            return (_estimate(between, min(since, until)),)
        if only_between:
            return ()
        if since <= min(self._hold_s, until):
            last = path.boxes[before]
            return _estimate(_moved(last, _velocity(path, before, -1), since), since), _estimate(last, since)
        if until <= self._lead_s:
            return (_estimate(_moved(path.boxes[after], -_velocity(path, after, 1), until), until),)
        return ()


def _velocity(path: _Path, at: int, direction: int) -> NDArray[np.float64]:
    """Return the velocity ``(2,)`` in px per second near a box, measured before it (-1) or after it (1)."""
    time_s = path.times[at]
    if direction < 0:
        other = bisect_left(path.times, time_s - _VELOCITY_S, 0, at + 1)
    else:
        other = bisect_left(path.times, time_s + _VELOCITY_S, at) - 1
    elapsed_s = path.times[other] - time_s
    if other == at or elapsed_s == 0:
        return np.zeros(2)
    moved: NDArray[np.float64] = _centre(path.boxes[other]) - _centre(path.boxes[at])
    return moved / elapsed_s


def _centre(box: Box) -> NDArray[np.float64]:
    return (box[:2] + box[2:]) / 2


def _moved(box: Box, velocity: NDArray[np.float64], seconds: float) -> Box:
    """Return the box after some seconds, if its speed falls to 37 % every second."""
    way = velocity * _MOVES_ON_S * (1 - math.exp(-seconds / _MOVES_ON_S))
    moved: Box = box + np.concatenate([way, way])
    return moved


def _estimate(box: Box, seconds: float) -> Estimate:
    """Return an estimate that is some seconds away from the next detected box."""
    return Estimate(box, float(_GROWTH_PER_S * min(seconds, _MOST_GROWTH_S) * (box[3] - box[1])))
