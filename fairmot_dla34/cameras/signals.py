"""Answers SIGUSR1 by a call of a function in a thread of its own; Windows does not have this signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType

from ..closing import ClosedOnExit

NAME = "SIGUSR1"


class StatusSignal(ClosedOnExit):
    """Calls a function once for each SIGUSR1, from its creation to `close`. Commands use it, and libraries do not.

    The function runs in a thread, because the main thread may hold a lock that the function needs. Outside the main
    thread, and on Windows, there is no effect.

    Args:
        answer: Function without arguments.
    """

    def __init__(self, answer: Callable[[], object]) -> None:
        self._answer = answer
        self._signals: SimpleQueue[int | None] = (
            SimpleQueue()
        )  # its put may interrupt itself, as handlers of signals do
        self._number: int | None = getattr(signal, NAME, None)
        if self._number is None or threading.current_thread() is not threading.main_thread():
            self._number = None
            return
        self._thread = threading.Thread(target=self._run, name="fairmot_dla34 status", daemon=True)
        self._thread.start()
        self._previous = signal.signal(self._number, self._handle)

    def close(self) -> None:
        """Restore the earlier handler; safe to call twice."""
        number, self._number = self._number, None
        if number is not None:
            signal.signal(number, signal.SIG_DFL if self._previous is None else self._previous)
            self._signals.put(None)
            self._thread.join()

    def _handle(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 (the signature of handlers)
        self._signals.put(number)

    def _run(self) -> None:
        while self._signals.get() is not None:
            self._answer()
