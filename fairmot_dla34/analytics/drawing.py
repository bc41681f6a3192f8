"""Draws lines, zones and their counts on frames of a video."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..messages import counted
from .lines import Crossing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .analysis import Analysis, Event
    from .checks import Point
    from .config import AnalyticsConfig
    from .lines import Line

_WHITE, _BLACK, _GREEN, _AMBER = (255, 255, 255), (0, 0, 0), (80, 220, 60), (0, 190, 255)  # BGR
_TINT = 0.15  # opacity of the colour of a zone
_FLASH_S = 0.6  # a line changes its colour for this time after a crossing
_ANY_TEXT = 5  # first version of OpenCV whose fonts have the characters of most languages
_CAPITALS_OF_SCALE = 21.0  # px, see outputs/labels.py


class _Tag(NamedTuple):
    """A text and the point that it belongs to."""

    text: str
    point: tuple[float, float]
    colour: tuple[int, int, int]


class AnalyticsDrawing:
    """Draws the state of an analysis.

    A line is white, with an arrow in its forward direction, and green shortly after a crossing. A zone is amber, with a
    light ground. Beside each is a tag with its name and counts. Names that OpenCV cannot write are replaced by ``line
    1``, ``zone 2``.

    Args:
        config: Settings of the analysis.
        analysis: The analysis.
    """

    def __init__(self, config: AnalyticsConfig, analysis: Analysis) -> None:
        self._config, self._analysis = config, analysis
        self._crossed_s: dict[str, float] = {}
        self._time_s = 0.0

    def note(self, events: list[Event], time_s: float) -> None:
        """Take the events of a result and its time."""
        self._time_s = time_s
        for event in events:
            if isinstance(event, Crossing):
                self._crossed_s[event.line] = time_s

    def draw(self, image: NDArray[np.uint8]) -> None:
        """Draw on a ``(H, W, 3)`` uint8 BGR image."""
        side = min(image.shape[:2])
        width = max(1, round(side / 360))
        for zone in self._config.zones:
            _tint(image, np.array(zone.points))
            _draw_path(image, np.array(zone.points), _AMBER, width, closed=True)
        for line in self._config.lines:
            self._draw_line(image, line, width)
        taken: list[tuple[int, int, int, int]] = []
        for tag in self._tags():
            _draw_tag(image, tag, max(9, round(side / 50)), taken)

    def _tags(self) -> list[_Tag]:
        counts, occupancy = self._analysis.counts, self._analysis.occupancy
        zones = self._analysis.summary().zones if occupancy else {}
        tags = []
        for number, line in enumerate(self._config.lines, 1):
            names = (_shown(line.forward, "forward"), _shown(line.backward, "backward"))
            numbers = "  ".join(
                f"{name} {count}" for name, count in zip(names, counts[line.name].values(), strict=True)
            )
            tags.append(
                _Tag(
                    f"{_shown(line.name, f'line {number}')}:  {numbers}",
                    _upper((line.start, line.end)),
                    self._colour(line),
                )
            )
        for number, zone in enumerate(self._config.zones, 1):
            name = _shown(zone.name, f"zone {number}")
            visits = zones[zone.name].visits
            text = f"{name}:  {occupancy[zone.name]} inside  {counted(visits, 'visit')}"
            tags.append(_Tag(text, _upper(zone.points), _AMBER))
        return tags

    def _colour(self, line: Line) -> tuple[int, int, int]:
        crossed_s = self._crossed_s.get(line.name)
        return _GREEN if crossed_s is not None and self._time_s - crossed_s <= _FLASH_S else _WHITE

    def _draw_line(self, image: NDArray[np.uint8], line: Line, width: int) -> None:
        start, end = np.array(line.start), np.array(line.end)
        colour = self._colour(line)
        _draw_path(image, np.array([start, end]), colour, width)
        along = (end - start) / line.length_px
        forward = np.array([-along[1], along[0]])  # the side with positive distances, see `Line.place`
        middle, reach = (start + end) / 2, 8.0 * width + 4
        tip = middle + reach * forward
        wing = 3.0 * width + 2
        head = [tip - wing * forward + wing * along, tip, tip - wing * forward - wing * along]
        _draw_path(image, np.array([middle, tip]), colour, width)
        _draw_path(image, np.array(head), colour, width)


def _upper(points: tuple[Point, ...]) -> Point:
    """Return the uppermost point, the left one of two: a tag above it hides few people at the line or in the zone."""
    return min(points, key=lambda point: (point[1], point[0]))


def _shown(name: str, instead: str) -> str:
    """Return a name if OpenCV can write it: before version 5 its fonts have ASCII characters only."""
    import cv2

    return name if name.isascii() or int(cv2.__version__.split(".")[0]) >= _ANY_TEXT else instead


def _tint(image: NDArray[np.uint8], points: NDArray[np.float64]) -> None:
    """Lay a light colour over a zone, which tells it from the box of a person."""
    import cv2

    left, top = np.floor(points.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(points.max(axis=0)).astype(int).tolist()
    part = image[max(0, top) : bottom + 1, max(0, left) : right + 1]
    if part.size:
        filled = part.copy()
        cv2.fillPoly(filled, [np.rint(points - (max(0, left), max(0, top))).astype(np.int32)], _AMBER)
        part[:] = cv2.addWeighted(part, 1 - _TINT, filled, _TINT, 0)


def _draw_path(
    image: NDArray[np.uint8],
    points: NDArray[np.float64],
    colour: tuple[int, int, int],
    width: int,
    *,
    closed: bool = False,
) -> None:
    """Draw lines from point to point with dark borders, visible on any ground."""
    import cv2

    corners = [np.rint(points * 8).astype(np.int32)]
    for shade, wide in ((_BLACK, width + 2), (colour, width)):
        cv2.polylines(image, corners, closed, shade, wide, cv2.LINE_AA, 3)  # 3 bits after the point


def _draw_tag(image: NDArray[np.uint8], tag: _Tag, capitals: int, taken: list[tuple[int, int, int, int]]) -> None:
    """Write a tag above its point, or at the nearest place within the image where no other tag is."""
    import cv2

    height, width = image.shape[:2]
    scale, weight = capitals / _CAPITALS_OF_SCALE, max(1, round(capitals / 12))
    pad = max(3, capitals // 2)
    wide = cv2.getTextSize(tag.text, cv2.FONT_HERSHEY_SIMPLEX, scale, weight)[0][0] + 3 * pad
    high = capitals + 2 * pad
    left = int(np.clip(tag.point[0] - wide / 2, 0, max(0, width - wide)))
    above = int(np.clip(tag.point[1] - 2 * high, 0, max(0, height - high)))
    tops = sorted(range(above % (high + 2), max(1, height - high + 1), high + 2), key=lambda top: abs(top - above))
    free = (top for top in tops if not any(_overlap((left, top, wide, high), other) for other in taken))
    top = next(free, above)
    taken.append((left, top, wide, high))
    part = image[top : top + high, left : left + wide]
    part[:] = part // 4  # dark, but not hidden
    part[:, :pad] = tag.colour
    origin = (left + 2 * pad, top + high - pad)
    cv2.putText(image, tag.text, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, _WHITE, weight, cv2.LINE_AA)


def _overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Return whether two rectangles, each left, top, width and height, overlap."""
    (x1, y1, w1, h1), (x2, y2, w2, h2) = one, other
    return x1 < x2 + w2 and x2 < x1 + w1 and y1 < y2 + h2 and y2 < y1 + h1
