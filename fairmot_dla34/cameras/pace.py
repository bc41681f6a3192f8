"""Measures how often a camera has results and how often its frames change their size."""

from __future__ import annotations

from collections import deque
from statistics import median

_INTERVALS = 25
_LOWEST_RATE = 0.01
_SIZES, _SIZES_S = 10, 600.0  # most new sizes in a time; each begins a part


class Pace:
    """Times of the results of one camera."""

    def __init__(self) -> None:
        self._latest_s: float | None = None
        self._intervals_s: deque[float] = deque(maxlen=_INTERVALS)
        self._sizes_s: deque[float] = deque(maxlen=_SIZES)

    def note(self, time_s: float) -> None:
        """Take the time of a result, in seconds."""
        if self._latest_s is not None:
            self._intervals_s.append(time_s - self._latest_s)
        self._latest_s = time_s

    def rate(self, stated_rate: float) -> float:
        """Return the frame rate of the results, which is below the stated one if frames are left out."""
        interval_s = median(self._intervals_s) if self._intervals_s else 0.0
        return max(_LOWEST_RATE, min(stated_rate, 1 / interval_s)) if interval_s > 0 else stated_rate

    def allows_size(self, time_s: float) -> bool:
        """Return whether another size of frames may begin a part at a time; ten may in ten minutes."""
        if len(self._sizes_s) == _SIZES and time_s - self._sizes_s[0] < _SIZES_S:
            return False
        self._sizes_s.append(time_s)
        return True
