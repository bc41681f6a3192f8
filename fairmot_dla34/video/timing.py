"""From a stream's time stamps to seconds since its first frame."""

from __future__ import annotations

_RESTART_S = 1.0  # stamps further back than this belong to a new recording; less is disorder, which passes by itself


class Clock:
    """Turns time stamps into seconds from the first frame that never stand still or run back.

    A stream joined from two recordings starts its stamps again, and some containers have none: the time then goes on
    by one frame. A step forward is kept, as it may be true (a variable frame rate, lost frames).
    """

    def __init__(self, frame_rate: float) -> None:
        """Start at zero.

        Args:
            frame_rate: Frames per second, for frames without a usable stamp.
        """
        self._period_s = 1.0 / frame_rate
        self._offset_s: float | None = None
        self._last_s: float | None = None

    def tell(self, stamp_s: float | None, steps: int = 1) -> float:
        """Give the time of the next frame.

        Args:
            stamp_s: The frame's stamp in seconds on the stream's own clock, or None.
            steps: Frames since the one before, more than 1 after a gap.

        Returns:
            Seconds from the first frame.
        """
        if self._last_s is None:
            self._offset_s = stamp_s
            self._last_s = 0.0
            return 0.0
        expected_s = self._last_s + steps * self._period_s
        time_s = expected_s
        if stamp_s is not None:
            if self._offset_s is None or stamp_s - self._offset_s < self._last_s - _RESTART_S:
                self._offset_s = stamp_s - expected_s
            if stamp_s - self._offset_s > self._last_s:
                time_s = stamp_s - self._offset_s
        self._last_s = time_s
        return time_s
