"""Keeps the recent foot points of tracks, and draws them as lines."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from ..values import Track
    from .colours import Colour

_MAX_POINTS = 240  # one second at 240 frames/s


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
                points = self._points.setdefault(track.track_id, deque(maxlen=_MAX_POINTS))
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


def draw_trail(canvas: NDArray[np.uint8], points: Sequence[tuple[float, float]], colour: Colour, width_px: int) -> None:
    """Join points in image px to a line; points more than an image size outside are moved to that distance."""
    import cv2

    if len(points) > 1:
        (height, width), path = canvas.shape[:2], np.array(points)  # (N, 2)
        np.maximum(path, (-width, -height), out=path)  # OpenCV refuses large numbers and draws far lines slowly
        np.minimum(path, (2 * width, 2 * height), out=path)
        path = np.rint(path, out=path).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [path], isClosed=False, color=colour, thickness=width_px, lineType=cv2.LINE_AA)
