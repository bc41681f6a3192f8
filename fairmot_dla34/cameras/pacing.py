"""Delivers the frames of a recording at the rate at which they were recorded."""

from __future__ import annotations

_LATE_S = 1.0  # a later frame moves the times of all further ones: they do not hurry
_LONGEST_S = 5.0  # a longer step is a jump of the time stamps, or a pause that nobody wants to wait for


class Pacer:
    """Time at which each frame of a recording is due."""

    def __init__(self) -> None:
        """Start before the first frame."""
        self._offset_s: float | None = None

    def wait_s(self, time_s: float, now_s: float) -> float:
        """Return the seconds to wait before a frame is delivered.

        Args:
            time_s: Time of the frame in the recording.
            now_s: Current time.
        """
        due_s = now_s if self._offset_s is None else self._offset_s + time_s
        due_s = min(due_s, now_s + _LONGEST_S)
        if due_s < now_s - _LATE_S:
            due_s = now_s
        self._offset_s = due_s - time_s
        return max(0.0, due_s - now_s)
