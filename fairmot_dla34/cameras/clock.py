"""Clock of the cameras: the system's, or another one in tests."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timezone
from typing import Protocol


class CameraClock(Protocol):
    """Source of the time, and the only way in which the cameras wait."""

    def monotonic(self) -> float:
        """Return seconds that never go back, from any start."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""

    def wait(self, waited: threading.Event | threading.Condition, seconds: float | None) -> bool:
        """Wait until an event is set, a condition is notified, or the time is over.

        Args:
            waited: Event, or condition whose lock this thread holds.
            seconds: Longest wait; None: no limit.

        Returns:
            Whether the event is set or the condition was notified.
        """


class SystemClock:
    """The clock of the operating system."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        return datetime.now(timezone.utc)

    def wait(self, waited: threading.Event | threading.Condition, seconds: float | None) -> bool:
        """Wait until an event is set, a condition is notified, or the time is over.

        Args:
            waited: Event, or condition whose lock this thread holds.
            seconds: Longest wait; None: no limit.

        Returns:
            Whether the event is set or the condition was notified.
        """
        return waited.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))
