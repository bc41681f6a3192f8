"""Zones: who enters and leaves a polygon, how long each visit lasts, and how many are inside."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, Literal

from ..config import check_amount
from ..errors import InvalidInputError
from ..values import FrameResult
from .anchors import Anchor, check_anchor
from .checks import Point, check_name, check_points, distance
from .identities import IdSet
from .observation import Observation
from .polygons import Polygon, crossing_edges
from .walks import DEFAULT_GAP_S, Walks

# Half width of the band along the edge in heights of a person, about twice the jitter of foot points from frame to
# frame (0.02 to 0.036 heights). It may be narrower than that of lines: the grace time joins visits that errors divide.
EDGE_BAND_HEIGHTS = 0.06
_BAND_OF_RADIUS = 0.5  # the band never covers more of a small zone, so that it can be entered


@dataclass(frozen=True)
class Zone:
    """A polygon that people stay in; it may be concave.

    Attributes:
        name: Name in events and tables.
        points: Corners in order, x and y, image px.
        anchor: Point of the box that must be inside; see `anchor_points`.

    Raises:
        InvalidInputError: There are fewer than three corners, two edges cross or touch, or a value is not accepted.
    """

    name: str
    points: tuple[Point, ...]
    _: KW_ONLY
    anchor: Anchor = "foot"

    def __post_init__(self) -> None:
        check_name("Name of a zone", self.name)
        points = check_points(f"Zone {self.name!r}", self.points, 3)
        object.__setattr__(self, "points", points)
        check_anchor(self.anchor)
        for number, point in enumerate(points):
            following = (number + 1) % len(points)
            if distance(point, points[following]) == 0:
                raise InvalidInputError(
                    f"Zone {self.name!r} has the corner {point} twice in a row; expected each corner "
                    "once. Leave one out."
                )
        crossed = crossing_edges(points)
        if crossed:
            raise InvalidInputError(
                f"Zone {self.name!r} crosses or touches itself: edges {crossed[0]} and {crossed[1]} meet; expected "
                "corners in the order along the border."
            )

    @cached_property
    def polygon(self) -> Polygon:
        """Geometry of the zone."""
        return Polygon(self.points)


@dataclass(frozen=True)
class Visit:
    """One stay of a person in a zone.

    Attributes:
        track_id: Id of the track.
        entered_s: Time at which the person entered, interpolated; the first sight of a person who appeared inside.
        left_s: Time at which the person left; the last sight of a person who disappeared inside.
        dwell_s: Seconds inside. Short absences within the visit are not included; times of a lost track are.
    """

    track_id: int
    entered_s: float
    left_s: float
    dwell_s: float


@dataclass(frozen=True)
class ZoneEvent:
    """A person entered or left a zone.

    Attributes:
        kind: ``enter`` or ``leave``.
        time_s: Time of the event: `Visit.entered_s` or `Visit.left_s`.
        frame: Index of the frame in which the event became certain.
        track_id: Id of the track.
        zone: Name of the zone.
        visit: The finished visit of ``leave``, None of ``enter``.
    """

    kind: Literal["enter", "leave"]
    time_s: float
    frame: int
    track_id: int
    zone: str
    visit: Visit | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return names and values, ready for JSON; ``frame`` counts from 1, as in all files."""
        values = {
            "event": self.kind,
            "time_s": round(self.time_s, 3),
            "frame": self.frame + 1,
            "id": self.track_id,
            "zone": self.zone,
        }
        if self.visit:
            values |= {"entered_s": round(self.visit.entered_s, 3), "dwell_s": round(self.visit.dwell_s, 3)}
        return values


@dataclass
class _Stay:
    """State of one track relative to the zone.

    Attributes:
        last_s: Time at which the track was last seen.
        point: Last anchor point.
        is_in: Whether the last point was in the polygon.
        since_s: Time at which ``is_in`` last changed.
        inside: Whether the person counts as inside: follows ``is_in`` beyond the band, or after the grace time.
        entered_s: Start of the visit; None without a visit.
        stay_s: Start of the present stay within the visit.
        left_s: End of the last stay; meaningful unless ``inside``.
        dwell_s: Seconds of finished stays of the visit.
    """

    last_s: float
    point: Point
    is_in: bool
    since_s: float
    inside: bool
    entered_s: float | None = None
    stay_s: float = 0.0
    left_s: float = 0.0
    dwell_s: float = 0.0


class ZoneMonitor:
    """Follows who is in a zone. Frames come in the order of the video; frames may be missing.

    Args:
        zone: The zone.
        grace_s: A visit goes on if the person is back, or seen again, within this time. A person who stays near the
            edge for longer than this counts as inside or outside, even within the band.

    Attributes:
        occupancy: People inside among the tracks of the latest frame.
        visits: Visits that started so far.
    """

    def __init__(self, zone: Zone, *, grace_s: float = DEFAULT_GAP_S) -> None:
        self.zone = zone
        self.grace_s = check_amount("grace_s", grace_s)
        self.occupancy = 0
        self.visits = 0
        self._stays: Walks[_Stay] = Walks(self.grace_s)
        self._people = IdSet()
        self._widest_band = _BAND_OF_RADIUS * zone.polygon.inner_radius()
        self._frame = 0

    @property
    def unique_ids(self) -> int:
        """Number of different ids that visited the zone."""
        return len(self._people)

    def update(self, result: FrameResult | Observation) -> list[ZoneEvent]:
        """Take the next frame.

        Returns:
            Events that became certain in this frame. ``leave`` comes after the grace time.

        Raises:
            InvalidInputError: The frame is before the previous one, or a box is not finite.
        """
        seen = Observation.of(result)
        self._frame = seen.index
        events = [event for ended in self._stays.advance(seen.time_s) for event in self._end(*ended)]
        points = seen.points(self.zone.anchor)
        is_in = self.zone.polygon.contains(points).tolist()
        beyond = self.zone.polygon.edge_distance(points) > (EDGE_BAND_HEIGHTS * seen.heights).clip(0, self._widest_band)
        self.occupancy = 0
        rows = zip(seen.ids, points.tolist(), is_in, beyond.tolist(), strict=True)
        for track_id, point, inside, sure in rows:
            stay = self._stays.take(track_id)
            if stay is None:
                stay = _Stay(seen.time_s, point, inside, seen.time_s, inside)
                if inside:
                    events.append(self._enter(track_id, stay))
            else:
                self._move(stay, point, inside, seen.time_s)
                events += self._settle(track_id, stay, seen.time_s, sure=sure)
            self._stays.put(track_id, stay)
            self.occupancy += stay.inside
        return events

    def finish(self) -> list[ZoneEvent]:
        """End all visits at the end of the video, each when the person was last seen inside."""
        return [event for ended in self._stays.finish() for event in self._end(*ended)]

    def _move(self, stay: _Stay, point: Point, inside: bool, time_s: float) -> None:
        if inside != stay.is_in:
            # A concave edge may be met several times: the person is inside after the last entry, until the first exit.
            meets = self.zone.polygon.meets(stay.point, point) or [1.0 if inside else 0.0]
            share = meets[-1] if inside else meets[0]
            stay.since_s = stay.last_s + share * (time_s - stay.last_s)
        stay.point, stay.is_in, stay.last_s = point, inside, time_s

    def _settle(self, track_id: int, stay: _Stay, time_s: float, *, sure: bool) -> list[ZoneEvent]:
        """Update whether a person counts as inside, and end a visit after the grace time."""
        events = []
        if stay.is_in != stay.inside and (sure or time_s - stay.since_s > self.grace_s):
            stay.inside = stay.is_in
            if not stay.inside:
                stay.left_s = stay.since_s
                stay.dwell_s += stay.left_s - stay.stay_s
            elif stay.entered_s is not None and stay.since_s - stay.left_s <= self.grace_s:
                stay.stay_s = stay.since_s  # back within the grace time
            else:
                events += self._leave(track_id, stay)
                events.append(self._enter(track_id, stay))
        back_s = stay.since_s if stay.is_in else time_s
        if not stay.inside and back_s - stay.left_s > self.grace_s:
            events += self._leave(track_id, stay)
        return events

    def _enter(self, track_id: int, stay: _Stay) -> ZoneEvent:
        stay.entered_s = stay.stay_s = stay.since_s
        stay.dwell_s = 0.0
        self.visits += 1
        self._people.add(track_id)
        return ZoneEvent("enter", stay.since_s, self._frame, track_id, self.zone.name)

    def _leave(self, track_id: int, stay: _Stay) -> list[ZoneEvent]:
        """Return the event of a visit that has ended; none if there is no visit."""
        if stay.entered_s is None:
            return []
        visit = Visit(track_id, stay.entered_s, stay.left_s, stay.dwell_s)
        stay.entered_s = None
        return [ZoneEvent("leave", visit.left_s, self._frame, track_id, self.zone.name, visit)]

    def _end(self, track_id: int, stay: _Stay) -> list[ZoneEvent]:
        """End a walk; a person who is near the edge left when the edge was last passed."""
        if stay.inside:
            stay.left_s = stay.last_s if stay.is_in else stay.since_s
            stay.dwell_s += stay.left_s - stay.stay_s
        return self._leave(track_id, stay)
