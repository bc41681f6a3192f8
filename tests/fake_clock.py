"""A clock for tests of cameras: its time passes only when the test advances it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

_START = datetime(2026, 1, 1, tzinfo=timezone.utc)
_POLL_S = 0.001
_LONGEST_S = 5.0  # real time


class FakeClock:
    """A `CameraClock` without a time of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds = 0.0

    def monotonic(self) -> float:
        with self._lock:
            return self._seconds

    def now(self) -> datetime:
        return _START + timedelta(seconds=self.monotonic())

    def advance(self, seconds: float) -> None:
        """Let time pass; threads whose wait is over notice it within some milliseconds of real time."""
        with self._lock:
            self._seconds += seconds

    def wait(self, waited: threading.Event | threading.Condition, seconds: float | None) -> bool:
        deadline_s = None if seconds is None else self.monotonic() + seconds
        while deadline_s is None or self.monotonic() < deadline_s:
            # A notification just after the time is up would be lost: a condition's waiter looks again instead.
            if waited.wait(_POLL_S) or isinstance(waited, threading.Condition):
                return True
        return False


def eventually(check: Callable[[], object], message: str = "it did not happen") -> None:
    """Wait, in real time, until a check returns something true.

    Raises:
        AssertionError: It did not in 5 seconds.
    """
    deadline_s = time.monotonic() + _LONGEST_S
    while not check():
        assert time.monotonic() < deadline_s, message
        time.sleep(_POLL_S)
