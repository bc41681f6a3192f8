"""Draws tracks on an image: boxes, labels, and a trail of the last second."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from ..values import check_image
from .colours import colour_of, text_colour_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ..values import Track

    _Point = tuple[int, int]
    _Rectangle = tuple[int, int, int, int]  # left, top, right, bottom in px; right and bottom excluded
    _Colour = tuple[int, int, int]

_MAX_TRAIL_POINTS = 240  # one second at 240 frames/s


class Trails:
    """Recent foot points per id in image px; memory is bounded by the people seen during ``seconds``."""

    def __init__(self, seconds: float = 1.0) -> None:
        """Start without points.

        Args:
            seconds: Time for which a point is kept.
        """
        self._seconds = seconds
        self._points: dict[int, deque[tuple[float, float, float]]] = {}

    def update(self, tracks: Iterable[Track], time_s: float) -> None:
        """Add the foot points (middle of the lower edge) of one frame's tracks and remove old ones."""
        for track in tracks:
            x1, _, x2, y2 = track.box
            if all(map(math.isfinite, (x1, x2, y2))):
                points = self._points.setdefault(track.track_id, deque(maxlen=_MAX_TRAIL_POINTS))
                points.append((time_s, (x1 + x2) / 2, y2))
        for track_id, points in list(self._points.items()):
            while points and points[0][0] < time_s - self._seconds:
                points.popleft()
            if not points:
                del self._points[track_id]

    def clear(self) -> None:
        """Remove all points, for frames that do not continue the previous ones."""
        self._points.clear()

    def points_of(self, track_id: int) -> list[tuple[float, float]]:
        """Return the id's points in order of time, ``(x, y)`` in image px; empty for an unknown id."""
        return [(x, y) for _, x, y in self._points.get(track_id, ())]


def draw_tracks(
    image: NDArray[np.uint8],
    tracks: Iterable[Track],
    *,
    trails: Trails | None = None,
    draw_threshold: float = 0.0,
    in_place: bool = False,
) -> NDArray[np.uint8]:
    """Draw box, id and score of each track, and its trail.

    Args:
        image: ``(H, W, 3)`` uint8 BGR; not changed unless ``in_place``.
        tracks: Boxes in image px, also outside the image; one with a number that is not finite is left out.
        trails: Points to join to a line for each track drawn.
        draw_threshold: Tracks with a lower score are not drawn.
        in_place: Whether to draw on ``image`` itself, if it is writable.

    Returns:
        A ``(H, W, 3)`` uint8 BGR image: a new one, or ``image``.

    Raises:
        InvalidInputError: ``image`` is not such an array.
    """
    check_image(image)
    canvas = image if in_place and _can_draw_on(image) else np.array(image, np.uint8, order="C")
    shown = [t for t in tracks if t.score >= draw_threshold and all(map(math.isfinite, t.box))]
    shown.sort(key=lambda track: track.box[3])  # nearer people are drawn over those behind them
    line = max(1, round(min(image.shape[:2]) / 240))  # px: 1 at 320x240, 2 at 480x360, 9 at 4K
    if trails is not None:
        for track in shown:
            _draw_trail(canvas, trails.points_of(track.track_id), colour_of(track.track_id), line)
    for track in shown:
        _draw_box(canvas, track, line)
    taken: list[_Rectangle] = []
    for track in shown[::-1]:  # after all boxes, so that none crosses a number
        taken.append(_draw_label(canvas, track, taken))
    return canvas


def _can_draw_on(image: NDArray[np.uint8]) -> bool:
    """Return whether OpenCV can draw on the array: writable, rows in order, pixels side by side."""
    return image.flags.writeable and image.strides[1:] == (3, 1) and image.strides[0] >= 3 * image.shape[1]


def _draw_trail(canvas: NDArray[np.uint8], points: Sequence[tuple[float, float]], colour: _Colour, line: int) -> None:
    import cv2

    if len(points) > 1:
        (height, width), path = canvas.shape[:2], np.array(points)  # (N, 2)
        np.maximum(path, (-width, -height), out=path)  # as `_pixel`, for all at once
        np.minimum(path, (2 * width, 2 * height), out=path)
        path = np.rint(path, out=path).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [path], isClosed=False, color=colour, thickness=line, lineType=cv2.LINE_AA)


def _draw_box(canvas: NDArray[np.uint8], track: Track, line: int) -> None:
    import cv2

    x1, y1, x2, y2 = track.box
    corners = _pixel(canvas, x1, y1), _pixel(canvas, x2, y2)
    cv2.rectangle(canvas, *corners, colour_of(track.track_id), line)  # upright lines need no smoothing, which is slow


def _draw_label(canvas: NDArray[np.uint8], track: Track, taken: Sequence[_Rectangle]) -> _Rectangle:
    """Write id and score near the box, clear of the labels in ``taken`` if possible; return the label's rectangle."""
    import cv2

    height, width = canvas.shape[:2]
    scale = max(0.4, min(height, width) / 1000)  # capitals 9 px high at 320x240, 48 px at 4K
    weight = max(1, round(scale * 1.4))
    text = f"{track.track_id} {track.score:.2f}"
    font = cv2.FONT_HERSHEY_SIMPLEX
    (text_width, text_height), below = cv2.getTextSize(text, font, scale, weight)
    pad = max(1, round(scale * 4))
    size = text_width + 2 * pad, text_height + below + pad
    left, top, right, bottom = _label_rectangle(canvas, track, size, taken)
    colour = colour_of(track.track_id)
    cv2.rectangle(canvas, (left, top), (right - 1, bottom - 1), colour, cv2.FILLED)
    origin = (left + pad, bottom - 1 - below + pad // 2)
    cv2.putText(canvas, text, origin, font, scale, text_colour_on(colour), weight, cv2.LINE_AA)
    return left, top, right, bottom


def _label_rectangle(
    canvas: NDArray[np.uint8], track: Track, size: tuple[int, int], taken: Sequence[_Rectangle]
) -> _Rectangle:
    """Return the first free place inside the image: above the box, below it, in it, higher above; else the first."""
    (height, width), (label_width, label_height) = canvas.shape[:2], size
    left, top = _pixel(canvas, track.box[0], track.box[1])
    bottom = _pixel(canvas, track.box[2], track.box[3])[1]
    left = max(0, min(left, width - label_width))
    candidates = []
    for y in (top - label_height, bottom, top, top - 2 * label_height):
        inside = max(0, min(y, height - label_height))
        candidates.append((left, inside, left + label_width, inside + label_height))
    free = (place for place in candidates if not any(_overlap(place, other) for other in taken))
    return next(free, candidates[0])


def _overlap(a: _Rectangle, b: _Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _pixel(canvas: NDArray[np.uint8], x: float, y: float) -> _Point:
    """Round to pixels, at most one image size outside: OpenCV refuses larger numbers and draws far lines slowly."""
    height, width = canvas.shape[:2]
    return round(max(-width, min(2.0 * width, x))), round(max(-height, min(2.0 * height, y)))
