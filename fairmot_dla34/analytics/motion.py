"""Speeds and paths of people, smoothed over a stated time, in px and, with a ground plane, in metres."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..config import is_number, shown
from ..errors import InvalidInputError
from ..values import FrameResult
from .anchors import Anchor, check_anchor
from .checks import Point
from .ground import GroundPlane
from .observation import Observation
from .walks import DEFAULT_GAP_S, Walks

__all__ = ["DEFAULT_SMOOTHING_S", "GroundPlane", "Motion", "MotionTracker", "Path"]

Floats = NDArray[np.float64]

DEFAULT_SMOOTHING_S = 1.0  # about two steps, so that the sway of the gait averages out
_MOST_POINTS = 128  # points of a path; beyond, every other one is dropped


@dataclass(frozen=True)
class Motion:
    """Movement of one track at the time of a frame.

    Attributes:
        track_id: Id of the track.
        point: Anchor point, image px.
        speed_px_s: Speed in the image, px/s; None until the track was seen for half the smoothing time.
        velocity_px_s: x and y of the velocity, px/s; None likewise.
        place_m: Place on the ground, m; None without a ground plane, and at or above its horizon.
        speed_m_s: Speed on the ground, m/s; None likewise.
    """

    track_id: int
    point: Point
    speed_px_s: float | None
    velocity_px_s: Point | None
    place_m: Point | None
    speed_m_s: float | None


@dataclass(frozen=True)
class Path:
    """The finished walk of a track.

    Attributes:
        track_id: Id of the track.
        times_s: Times of the points, s, at most 128.
        points: Anchor points at these times, image px.
        length_px: Length of the smoothed path, px.
        length_m: Length on the ground, m; None without a ground plane.
    """

    track_id: int
    times_s: tuple[float, ...]
    points: tuple[Point, ...]
    length_px: float
    length_m: float | None

    @property
    def duration_s(self) -> float:
        """Seconds from the first point to the last."""
        return self.times_s[-1] - self.times_s[0]


@dataclass
class _Walk:
    """State of one track.

    Attributes:
        last_s: Time at which the track was last seen.
        recent: (time, x px, y px, x m, y m) of the frames within the smoothing time; NaN without a place in metres.
        times_s: Times of the kept points.
        points: Kept points, image px.
        spacing_s: Smallest time between kept points.
        corner: Latest point of ``recent``'s kind that was used for the lengths.
        length_px: Length so far, px.
        length_m: Length so far, m.
    """

    last_s: float
    recent: deque[tuple[float, float, float, float, float]] = field(default_factory=deque)
    times_s: list[float] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    spacing_s: float = 0.0
    corner: tuple[float, float, float, float, float] | None = None
    length_px: float = 0.0
    length_m: float = 0.0


class MotionTracker:
    """Follows the speeds and paths of all tracks. Frames come in the order of the video; frames may be missing.

    A speed is the slope of the straight line that fits best (least squares) the positions within the smoothing time, on
    the ground if there is a plane. Lengths are sums of distances between positions one smoothing time apart, so that
    jitter does not add up.

    Args:
        plane: Ground plane, or None.
        smoothing_s: Time over which speeds are measured, s.
        anchor: Point that is followed; with a plane, the foot.
        gap_s: Longest time for which a track may be unseen.

    Raises:
        InvalidInputError: ``smoothing_s`` is not above 0, or with a plane the anchor is not the foot.
    """

    def __init__(
        self,
        plane: GroundPlane | None = None,
        *,
        smoothing_s: float = DEFAULT_SMOOTHING_S,
        anchor: Anchor = "foot",
        gap_s: float = DEFAULT_GAP_S,
    ) -> None:
        self.smoothing_s = check_smoothing(smoothing_s)
        check_anchor(anchor)
        if plane is not None and anchor != "foot":
            raise InvalidInputError(
                f"anchor is {anchor!r}; expected 'foot' with a ground plane, because only feet are on the ground."
            )
        self._plane, self._anchor = plane, anchor
        self._walks: Walks[_Walk] = Walks(gap_s)
        self._present: list[tuple[int, _Walk]] = []
        self._motions: dict[int, Motion] | None = None

    @property
    def motions(self) -> dict[int, Motion]:
        """Movement of each track in the latest frame, by id; computed on first use."""
        if self._motions is None:
            self._motions = {track_id: self._motion(track_id, walk) for track_id, walk in self._present}
        return self._motions

    def update(self, result: FrameResult | Observation) -> list[Path]:
        """Take the next frame; ``motions`` then has the movement of each track in it, by id.

        Returns:
            Paths that ended before this frame.

        Raises:
            InvalidInputError: The frame is before the previous one, or a box is not finite.
        """
        seen = Observation.of(result)
        ended = [self._path(*walk) for walk in self._walks.advance(seen.time_s)]
        points = seen.points(self._anchor)
        metres = self._plane.to_metres(points) if self._plane else np.full((len(points), 2), np.nan)
        self._present, self._motions = [], None
        for track_id, point, place in zip(seen.ids, points.tolist(), metres.tolist(), strict=True):
            walk = self._walks.take(track_id) or _Walk(seen.time_s)
            self._walks.put(track_id, walk)
            walk.last_s = seen.time_s
            self._extend(walk, (seen.time_s, *point, *place))
            self._present.append((track_id, walk))
        return ended

    def finish(self) -> list[Path]:
        """End all walks and return their paths."""
        return [self._path(*walk) for walk in self._walks.finish()]

    def _extend(self, walk: _Walk, sample: tuple[float, float, float, float, float]) -> None:
        time_s = sample[0]
        walk.recent.append(sample)
        while time_s - walk.recent[0][0] > self.smoothing_s + 1e-9:
            walk.recent.popleft()
        if walk.corner is None:
            walk.corner = sample
        elif time_s - walk.corner[0] >= self.smoothing_s - 1e-9:
            _lengthen(walk, sample)
        if not walk.times_s or time_s - walk.times_s[-1] >= walk.spacing_s:
            walk.times_s.append(time_s)
            walk.points.append((sample[1], sample[2]))
            if len(walk.times_s) >= _MOST_POINTS:
                walk.times_s, walk.points = walk.times_s[::2], walk.points[::2]
                walk.spacing_s = (walk.times_s[-1] - walk.times_s[0]) / len(walk.times_s)

    def _motion(self, track_id: int, walk: _Walk) -> Motion:
        samples = walk.recent
        _, x, y, x_m, y_m = samples[-1]
        place = None if math.isnan(x_m) else (x_m, y_m)
        if samples[-1][0] - samples[0][0] < self.smoothing_s / 2:
            return Motion(track_id, (x, y), None, None, place, None)
        slopes = _slopes(samples)
        speed_m = None if math.isnan(slopes[2]) else math.hypot(slopes[2], slopes[3])
        return Motion(track_id, (x, y), math.hypot(slopes[0], slopes[1]), (slopes[0], slopes[1]), place, speed_m)

    def _path(self, track_id: int, walk: _Walk) -> Path:
        last = walk.recent[-1]
        _lengthen(walk, last)
        if walk.times_s[-1] < last[0]:
            walk.times_s.append(last[0])
            walk.points.append((last[1], last[2]))
        length_m = walk.length_m if self._plane and not math.isnan(walk.length_m) else None
        return Path(track_id, tuple(walk.times_s), tuple(walk.points), walk.length_px, length_m)


def check_smoothing(value: object) -> float:
    """Return a smoothing time as a float.

    Raises:
        InvalidInputError: It is not a number above 0.
    """
    if not is_number(value) or value <= 0:
        raise InvalidInputError(f"smoothing_s is {shown(value)}; expected seconds, a number above 0 such as 1.0.")
    return float(value)


def _lengthen(walk: _Walk, sample: tuple[float, float, float, float, float]) -> None:
    """Add the way from the last corner of a path to a sample, which becomes the corner."""
    corner = walk.corner or sample
    walk.length_px += math.hypot(sample[1] - corner[1], sample[2] - corner[2])
    walk.length_m += math.hypot(sample[3] - corner[3], sample[4] - corner[4])
    walk.corner = sample


def _slopes(samples: deque[tuple[float, float, float, float, float]]) -> list[float]:
    """Return the least-squares slopes of the four coordinates over time."""
    values = np.array(samples)
    centred = values[:, 0] - values[:, 0].mean()
    slopes: list[float] = (centred @ values[:, 1:] / (centred @ centred)).tolist()
    return slopes
