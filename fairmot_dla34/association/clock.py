"""How many frames have passed between two updates."""

from __future__ import annotations


class Clock:
    """Counts frames of the source, those included that were never handed over.

    The time between two updates is rounded to whole frames, and is at least one: a jitter of time stamps changes
    nothing, and neither do stamps that repeat or go back.

    Args:
        frame_rate: Frames per second of the source.
        longest: Most frames that one update can skip ahead.
    """

    def __init__(self, frame_rate: float, longest: int) -> None:
        self._frame_rate = frame_rate
        self._longest = longest
        self._last_s: float | None = None
        self.frame = 0
        """Frames so far; 1 in the first update."""

    def advance(self, time_s: float | None) -> int:
        """Go on to the next update.

        Args:
            time_s: Its time in seconds; None: one frame after the one before.

        Returns:
            Frames since the last update, >= 1.
        """
        frames = 1
        if self._last_s is None or time_s is None:
            self._last_s = time_s if self._last_s is None else self._last_s + 1 / self._frame_rate
        else:
            passed = (time_s - self._last_s) * self._frame_rate  # may overflow to inf, never to NaN
            frames = round(min(max(passed, 1.0), float(self._longest)))
            self._last_s = time_s
        self.frame += frames
        return frames
