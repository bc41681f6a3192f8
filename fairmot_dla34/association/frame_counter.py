"""Frame numbers from time stamps, skipped frames included."""

from __future__ import annotations


class FrameCounter:
    """Counts the source's frames, including those that were never passed to the tracker.

    The time between two updates is rounded to whole frames and is at least one frame. Jitter of the time stamps
    therefore changes nothing, and neither do stamps that repeat or go back.

    Args:
        frame_rate: Frames per second of the source.
        max_step: Most frames that one update can skip ahead.

    Attributes:
        frame: Frames so far; 1 in the first update.
    """

    def __init__(self, frame_rate: float, max_step: int) -> None:
        self._frame_rate = frame_rate
        self._max_step = max_step
        self._last_s: float | None = None
        self.frame = 0

    def advance(self, time_s: float | None) -> int:
        """Advance to the next update.

        Args:
            time_s: Time of the update in seconds. None: one frame after the previous update.

        Returns:
            Frames since the previous update, >= 1.
        """
        frames = 1
        if self._last_s is None or time_s is None:
            self._last_s = time_s if self._last_s is None else self._last_s + 1 / self._frame_rate
        else:
            elapsed = (time_s - self._last_s) * self._frame_rate  # may overflow to inf, never to NaN
            frames = round(min(max(elapsed, 1.0), float(self._max_step)))
            self._last_s = time_s
        self.frame += frames
        return frames
