"""Converts a stream's time stamps to seconds since its first frame."""

from __future__ import annotations

# Stamps that jump back further than this start a new recording; smaller jumps are disorder that ends by itself.
_RESTART_S = 1.0
# Stamps that jump ahead further than this are checked against the next one. A gap in a recording is usually shorter.
_JUMP_S = 60.0


class Clock:
    """Converts time stamps to seconds from the first frame that always increase.

    A stream joined from two recordings restarts its stamps, and some containers have none: the time then advances by
    one frame. A jump forward is kept, because it may be true (a variable frame rate, lost frames, a pause).
    """

    def __init__(self, frame_rate: float) -> None:
        """Start at zero.

        Args:
            frame_rate: Frames per second, for frames without a usable stamp.
        """
        self._period_s = 1.0 / frame_rate
        self._offset_s: float | None = None
        self._last_s: float | None = None

    def jump(self, stamp_s: float | None) -> float:
        """Return by how many seconds a stamp is out of line with the time so far; 0 for ordinary gaps and disorder.

        A jump of one stamp alone is damage: pass None for it. A true one is followed by stamps near it.

        Args:
            stamp_s: Stamp in seconds on the stream's own clock, or None.
        """
        if stamp_s is None or self._offset_s is None or self._last_s is None:
            return 0.0
        step_s = stamp_s - self._offset_s - self._last_s
        return 0.0 if -_RESTART_S <= step_s <= _JUMP_S else step_s

    def next_time(self, stamp_s: float | None, steps: int = 1) -> float:
        """Return the time of the next frame.

        Args:
            stamp_s: The frame's stamp in seconds on the stream's own clock, or None.
            steps: Number of frames since the previous one, more than 1 after a gap.

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
