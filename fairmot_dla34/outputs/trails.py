"""Where each person stood during the last second."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..values import Track

_LONGEST = 240  # points: a second at 240 frames/s


class Trails:
    """Foot points per id, image px, forgotten after ``seconds``: bounded by the people seen in that time."""

    def __init__(self, seconds: float = 1.0) -> None:
        """Start without points.

        Args:
            seconds: How long a point is kept.
        """
        self._seconds = seconds
        self._points: dict[int, deque[tuple[float, float, float]]] = {}

    def update(self, tracks: Iterable[Track], time_s: float) -> None:
        """Add the foot points (middle of the lower edge) of one frame's tracks and forget old ones."""
        for track in tracks:
            x1, _, x2, y2 = track.box
            if all(map(math.isfinite, (x1, x2, y2))):
                points = self._points.setdefault(track.track_id, deque(maxlen=_LONGEST))
                points.append((time_s, (x1 + x2) / 2, y2))
        for track_id, points in list(self._points.items()):
            while points and points[0][0] < time_s - self._seconds:
                points.popleft()
            if not points:
                del self._points[track_id]

    def clear(self) -> None:
        """Forget all points, as when the picture's size changes."""
        self._points.clear()

    def points_of(self, track_id: int) -> list[tuple[float, float]]:
        """The id's points in order of time, ``(x, y)`` in image px; empty for one not seen."""
        return [(x, y) for _, x, y in self._points.get(track_id, ())]
