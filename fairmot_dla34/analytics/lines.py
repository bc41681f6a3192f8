"""Counting of people who cross a line, with a dead band against flicker and events with times."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config import is_number, shown
from ..errors import InvalidInputError
from ..values import FrameResult
from .anchors import Anchor, check_anchor
from .checks import Point, check_name, check_point, distance
from .observation import Observation
from .walks import DEFAULT_GAP_S, Walks

# Half width of the dead band in heights of a person: the whole band is as wide as one step, so whoever walks over the
# line leaves it with the next step. Errors of boxes are proportional to their height too: foot points of the sample
# weights' tracks are off by 0.04 to 0.08 heights (standard deviation, docs/analytics.md), seldom by more than 0.2.
DEAD_BAND_HEIGHTS = 0.2
_SHORTEST_PX = 1.0


@dataclass(frozen=True)
class Line:
    """A line segment that people cross, drawn from ``start`` to ``end``.

    Attributes:
        name: Name in events and tables.
        start: x and y, image px.
        end: x and y, image px.
        forward: Name of the direction from the left hand to the right hand of someone who looks from ``start`` to
            ``end`` in the image. Across a line drawn from left to right, that is downwards.
        backward: Name of the other direction.
        anchor: Point of the box that crosses; see `anchor_points`.
        dead_band_px: Distance from the line in px that a person must reach before a crossing counts. None: 0.2 heights
            of the person's box, half a step, because errors of boxes are proportional to their height.

    Raises:
        InvalidInputError: The line is shorter than 1 px, both directions have one name, or a value is not accepted.
    """

    name: str
    start: Point
    end: Point
    _: KW_ONLY
    forward: str = "in"
    backward: str = "out"
    anchor: Anchor = "foot"
    dead_band_px: float | None = None

    def __post_init__(self) -> None:
        check_name("Name of a line", self.name)
        for end in ("start", "end"):
            object.__setattr__(self, end, check_point(f"Line {self.name!r}, {end}", getattr(self, end)))
        for direction in (self.forward, self.backward):
            check_name(f"Line {self.name!r}, direction", direction)
        if self.forward == self.backward:
            raise InvalidInputError(
                f"Line {self.name!r} has two directions named {self.forward!r}; expected two names, such as in and out."
            )
        check_anchor(self.anchor)
        band = self.dead_band_px
        if band is not None and (not is_number(band) or band < 0):
            raise InvalidInputError(
                f"Line {self.name!r}, dead_band_px is {shown(band)}; expected px >= 0, or nothing for the default."
            )
        if self.length_px < _SHORTEST_PX:
            raise InvalidInputError(
                f"Line {self.name!r} goes from {self.start} to {self.end} and has no length; expected two points at "
                "least 1 px apart."
            )

    @property
    def length_px(self) -> float:
        """Length, px."""
        return distance(self.start, self.end)

    @property
    def directions(self) -> tuple[str, str]:
        """``forward`` and ``backward``."""
        return self.forward, self.backward

    def place(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return where ``(N, 2)`` points are in relation to the line.

        Returns:
            ``(N,)`` signed distance from the infinite line, px, positive where forward crossings lead; and ``(N,)``
            position along the line, 0 at ``start`` and 1 at ``end``.
        """
        length = self.length_px
        along = (np.array(self.end) - np.array(self.start)) / length
        x, y = (points - np.array(self.start)).T
        return along[0] * y - along[1] * x, (along[0] * x + along[1] * y) / length


@dataclass(frozen=True)
class Crossing:
    """One person crossed a line once.

    Attributes:
        time_s: Time of the crossing, interpolated between two frames.
        frame: Index of the first frame after the crossing.
        track_id: Id of the track.
        line: Name of the line.
        direction: Name of the direction.
        point: x and y of the anchor on the line, image px.
        age_s: Seconds since the track was first seen. Tracks younger than a second may be a person with a new id.
    """

    time_s: float
    frame: int
    track_id: int
    line: str
    direction: str
    point: Point
    age_s: float

    def to_dict(self) -> dict[str, Any]:
        """Return names and values, ready for JSON; ``frame`` counts from 1, as in all files."""
        return {
            "event": "crossing",
            "time_s": round(self.time_s, 3),
            "frame": self.frame + 1,
            "id": self.track_id,
            "line": self.line,
            "direction": self.direction,
            "x": round(self.point[0], 2),
            "y": round(self.point[1], 2),
            "age_s": round(self.age_s, 3),
        }


@dataclass
class _Walk:
    """Movement of one track relative to the line.

    Attributes:
        first_s: Time at which the walk started.
        last_s: Time at which the track was last seen.
        distance: Signed distance of the last point, px.
        along: Position of the last point along the line.
        side: Side of the last point that was not on the line: -1 or 1; 0 before the first.
        home: Side that the person belongs to: the first side, then the one where the dead band was last left.
        settled: Whether the person was ever outside the dead band.
        passes: Forward minus backward passes through the segment since the dead band was last left.
        latest: Time, frame and position along the line of the latest pass in each direction.
    """

    first_s: float
    last_s: float
    distance: float
    along: float
    side: int = 0
    home: int = 0
    settled: bool = False
    passes: int = 0
    latest: dict[int, tuple[float, int, float]] | None = None


class LineCounter:
    """Counts crossings of one line. Frames come in the order of the video; frames may be missing.

    A crossing counts once the person has left the dead band on the other side, if the path passed the segment and not
    its extension; its time is that of the pass. A path that ends within the dead band counts by its last side, when
    the walk has ended. A walk that never leaves the dead band does not count.

    Args:
        line: The line.
        gap_s: Longest time for which a track may be unseen. Its path is straight meanwhile; an id that returns later
            starts a new walk.
    """

    def __init__(self, line: Line, *, gap_s: float = DEFAULT_GAP_S) -> None:
        self.line = line
        self._walks: Walks[_Walk] = Walks(gap_s)

    def update(self, result: FrameResult | Observation) -> list[Crossing]:
        """Take the next frame.

        Returns:
            Crossings that became certain in this frame; most of them happened a few frames ago.

        Raises:
            InvalidInputError: The frame is before the previous one, or a box is not finite.
        """
        seen = Observation.of(result)
        crossings = self._endings(self._walks.advance(seen.time_s))
        distances, alongs = self.line.place(seen.points(self.line.anchor))
        band_px = self.line.dead_band_px
        bands = DEAD_BAND_HEIGHTS * seen.heights if band_px is None else np.full(len(seen.ids), band_px)
        outside = np.abs(distances) > bands
        rows = zip(seen.ids, distances.tolist(), alongs.tolist(), outside.tolist(), strict=True)
        for track_id, off, along, settles in rows:
            walk = self._walks.take(track_id)
            if walk is None:
                walk = _Walk(seen.time_s, seen.time_s, off, along)
            self._walks.put(track_id, walk)
            _move(walk, off, along, seen.time_s, seen.index)
            if settles:
                crossings += self._settle(track_id, walk)
        return crossings

    def finish(self) -> list[Crossing]:
        """End all walks at the end of the video; return the crossings of paths that ended within the dead band."""
        return self._endings(self._walks.finish())

    def _endings(self, ended: list[tuple[int, _Walk]]) -> list[Crossing]:
        return [crossing for track_id, walk in ended if walk.settled for crossing in self._settle(track_id, walk)]

    def _settle(self, track_id: int, walk: _Walk) -> list[Crossing]:
        """Return the crossing that brought a person to the present side, if there was one."""
        crossings = []
        if walk.side != walk.home and walk.passes * walk.side > 0 and walk.latest:
            time_s, frame, along = walk.latest[walk.side]
            (x1, y1), (x2, y2) = self.line.start, self.line.end
            point = (x1 + along * (x2 - x1), y1 + along * (y2 - y1))
            direction = self.line.forward if walk.side > 0 else self.line.backward
            age_s = time_s - walk.first_s
            crossings = [Crossing(time_s, frame, track_id, self.line.name, direction, point, age_s)]
        walk.home, walk.settled, walk.passes = walk.side, True, 0
        return crossings


def _move(walk: _Walk, off: float, along: float, time_s: float, frame: int) -> None:
    """Move a walk to its next point; note a pass through the segment."""
    side = (off > 0) - (off < 0) or walk.side  # a point on the line still belongs to the side it came from
    if side != walk.side and walk.side:
        part = walk.distance / (walk.distance - off)
        place = walk.along + part * (along - walk.along)
        if 0.0 <= place <= 1.0:
            walk.passes += side
            walk.latest = walk.latest or {}
            walk.latest[side] = (walk.last_s + part * (time_s - walk.last_s), frame, place)
    walk.home = walk.home or side
    walk.side, walk.distance, walk.along, walk.last_s = side, off, along, time_s
